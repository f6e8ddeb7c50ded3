"""How many requests a tenant may make in a minute, counted across processes at the price of a memory look-up.

The database holds one row per tenant: the minute now running, and how much of it was handed out. A process takes a
lease of some requests from it, and counts these by itself; the lease is lost with the minute. So a tenant never gets
more than its limit, whoever serves it; near the limit leases shrink to single requests, so that little lies unused.

A minute is not handed out at once: a tenant that asks for twenty times its share would have all of it in three
seconds, in which it slows everybody. It may have `burst_of` its limit at any moment, the rest as the minute goes by;
what it leaves unused beyond that is lost. Small limits are all burst: they are counted by the minute alone.

A lease is taken in a short transaction of its own, before the request's: nobody waits for a row until a long request
commits, and nobody needs a second connection while holding one. Who goes on after some refusals is refused from memory,
by the tenant that the key claims: a flood must not cost a look at the database for each of its requests.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.backing.log import count, logger
from chalicelib.identity import keys
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import TooMany, Unauthenticated

MOST_KEPT = 1000  # tenants that one process serves within a minute, before it forgets those whose minute is over

# A tenant's minute begins with its first request, so that tenants' minutes do not all begin at once. Released is what
# it may have had by now, of which no more than a burst is kept for it. Nothing is left: the lease is 0, and the process
# refuses by itself for a while.
_LEASE = text("""
    insert into request_windows as w (tenant_id, over_at, taken, lease)
    values (:tenant_id, clock_timestamp() + interval '1 minute', :first, :first)
    on conflict (tenant_id) do update set
        (over_at, taken, lease) = (
            select case when is_over then excluded.over_at else w.over_at end, used + part, part
            from (select w.over_at <= clock_timestamp() as is_over) asked,
                lateral (select case when is_over then :burst else :burst + floor((:per_minute - :burst)
                    * (1 - extract(epoch from w.over_at - clock_timestamp()) / 60))::int end as released) flowed,
                lateral (select case when is_over then 0
                    else greatest(w.taken, released - :burst) end as used) counted,
                lateral (select greatest(0, least(:most, greatest(1, (:per_minute - used) / 50),
                    greatest(1, (released - used) / 2), released - used)) as part) leased)
    returning lease, taken, extract(epoch from over_at - clock_timestamp())::float8 as seconds""")
_MOST = 100
_LEAST_BURST = 20  # requests, where the limit is as high: a page asks for a dozen things at once
_PAUSE = 0.1  # seconds until a process asks again for a tenant that is over its pace; many processes may ask
_LOOK = 1.0  # ... and at most, so that a raised limit is seen soon, or that whoever asks has died
_PATIENCE = 3  # refusals that are told by the database; then, while they go on, they are told from memory


@dataclass(slots=True)
class _Lease:
    """What a process may still count by itself until `ends` (monotonic), and from when on it may ask for more.

    There may be more of the minute when it `opens`, which callers are told; it asks earlier, as limits are raised.
    """

    left: int
    ends: float
    per_minute: int
    slug: str
    asks: float = 0.0
    opens: float = 0.0
    refused: int = 0

    def is_spent(self, now: float) -> bool:
        return not self.left and now < min(self.asks, self.ends)


_lock = threading.Lock()
_leases: dict[UUID, _Lease] = {}


class Unleased(Exception):  # it is a step of the way, and nobody's error
    """This process has nothing left to count for the tenant: take a lease, and begin again."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope.tenant.slug)
        self.tenant_id, self.slug, self.per_minute = (
            scope.tenant_id,
            scope.tenant.slug,
            scope.tenant.requests_per_minute,
        )


def burst_of(per_minute: int) -> int:
    """This will tell how much of a minute a tenant may have at once: a second's worth, or all of a small limit."""
    return min(per_minute, max(_LEAST_BURST, per_minute // 60))


def turn_away(headers: Mapping[str, str]) -> None:
    """This will refuse who was refused several times in this moment, whoever they are: TooMany, from memory."""
    try:
        tenant_id = keys.tenant_of(headers.get("x-api-key") or "")
    except Unauthenticated:  # a token names no tenant by itself, and a wrong key is for others to refuse
        return
    now = time.monotonic()
    with _lock:
        held = _leases.get(tenant_id) if tenant_id else None
        if held is None or held.refused < _PATIENCE or not held.is_spent(now):
            return
    logger.thread_safe_append_keys(tenant=held.slug)
    raise _too_many(held, now)


def spend(scope: Scope) -> None:
    """This will count one request of the tenant; TooMany at its limit, Unleased where the database has to be asked."""
    now = time.monotonic()
    with _lock:
        held = _leases.get(scope.tenant_id)
        if held is None or held.ends <= now or held.per_minute != scope.tenant.requests_per_minute:
            raise Unleased(scope)
        if held.left:
            held.left -= 1
            return
        if not held.is_spent(now):
            if held.refused >= _PATIENCE:
                held.asks = now + _LOOK  # one asks for all of a flood, and the others hear from it
            raise Unleased(scope)
        held.refused += 1
    raise _too_many(held, now)


def lease(need: Unleased) -> None:
    """This will take a lease and count the request that needed it; TooMany where nothing is left for now."""
    per_minute, burst = need.per_minute, burst_of(need.per_minute)
    with transaction(tenant_id=need.tenant_id) as session:
        found = session.execute(
            _LEASE,
            {"tenant_id": need.tenant_id, "per_minute": per_minute, "burst": burst, "most": _MOST,
             "first": max(1, min(_MOST, per_minute // 50, burst // 2))},
        ).one()  # fmt: skip
    now, rest = time.monotonic(), max(found.seconds, 0.001)
    pause = min(rest, max(_PAUSE, 60 / max(1, per_minute - burst)))  # there is more of the minute, but later
    fresh = _Lease(max(0, found.lease - 1), now + rest, per_minute, need.slug)
    if not found.lease:
        fresh.opens = now + (pause if found.taken < per_minute else rest)
        fresh.asks = min(fresh.opens, now + _LOOK)
    with _lock:
        if len(_leases) >= MOST_KEPT:
            _forget(now)
        held = _leases.get(need.tenant_id)
        if held and held.ends > now - _LOOK:
            fresh.refused = held.refused  # of the same flood, which a request or two were let out of
            if found.lease and fresh.refused >= _PATIENCE:
                fresh.asks = fresh.opens = now + pause
        if held and held.left and held.ends > now and held.per_minute == per_minute:
            held.left += fresh.left  # another thread has taken one at the same time
        else:
            _leases[need.tenant_id] = fresh
    if not found.lease:
        raise _too_many(fresh, now)


def clear() -> None:
    """This will forget all leases, as a new process does."""
    with _lock:
        _leases.clear()


def _forget(now: float) -> None:
    for tenant_id in [one for one, held in _leases.items() if held.ends <= now]:
        del _leases[tenant_id]


def _too_many(held: _Lease, now: float) -> TooMany:
    count("Limited")
    wait = max(1, ceil(held.opens - now))
    whole = burst_of(held.per_minute) == held.per_minute
    said = (
        f"made its {held.per_minute} requests of this minute"
        if whole
        else (f"made as many requests as {held.per_minute} a minute allow for by now")
    )
    return TooMany(f"This tenant has {said}; go on in {wait} s.", wait=wait)
