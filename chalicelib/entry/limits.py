"""How many requests a tenant may make in a minute, counted across processes at the price of a memory look-up.

The database holds one row per tenant: the minute now running, and how much of it was handed out. A process takes a
lease of some requests from it, and counts these by itself; the lease is lost with the minute. So a tenant never gets
more than its limit (and what is lent, below), whoever serves it; near the limit leases shrink to single requests, so
that little lies unused.

A minute is not handed out at once: a tenant that asks for twenty times its share would have all of it in three
seconds, in which it slows everybody. It may have `burst_of` its limit at any moment, the rest as the minute goes by;
what it leaves unused beyond that is lost. Small limits are all burst: they are counted by the minute alone.

No actor takes the whole of it from the others. A process says with its next lease how many requests of which actor it
counted, and the row keeps the actors with most. Where the pace is used up, an actor who made less than SHARE of it is
lent requests of their own: so others are answered while one floods, and one who is alone may have all. The tenant is
ahead of its limit by SHARE of a burst at most, and gets that much less next.

A lease is taken in a short transaction of its own, before the request's: nobody waits for a row until a long request
commits, and nobody needs a second connection while holding one. Who goes on after some refusals is refused from memory,
by the very credentials: a flood must not cost a look at the database for each of its requests, nor touch a neighbour.
"""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.backing.log import count, logger
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import TooMany

MOST_KEPT = 1000  # tenants that one process serves within a minute, before it forgets those whose minute is over
MOST_ACTORS = 10_000  # likewise, actors who were refused or lent something
SHARE = 0.25  # of a tenant's pace and burst, which each actor may have whatever the others do

# A tenant's minute begins with its first request, so that tenants' minutes do not all begin at once. Nothing is left:
# the lease is 0, and the process refuses by itself for a while.
_LEASE = text("""
    select lease, taken, seconds, is_own from lease_requests(
        :tenant_id, :actor_id, :per_minute, :burst, :most, cast(:share as numeric), cast(:counted as jsonb))""")
_MOST = 100
_LEAST_BURST = 20  # requests, where the limit is as high: a page asks for a dozen things at once
_PAUSE = 0.1  # seconds until a process asks again for a tenant that is over its pace; many processes may ask
_RECHECK = 1.0  # ... and at most, so that a raised limit is seen soon, or that whoever asks has died
_REFUSALS_BEFORE_MEMORY = 3  # refusals that are told by the database; then, while they go on, they are told from memory


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
    counted: Counter[UUID] = field(default_factory=Counter)  # by actor, since the last lease: not reported yet

    def is_spent(self, now: float) -> bool:
        return not self.left and now < min(self.asks, self.ends)

    def holds(self, now: float, per_minute: int) -> bool:
        return self.ends > now and self.per_minute == per_minute


_lock = threading.Lock()
_tenant_leases: dict[UUID, _Lease] = {}  # by tenant: for whoever asks here
_actor_leases: dict[
    tuple[UUID, UUID], _Lease
] = {}  # by tenant and actor: what was lent to them alone, or that nothing was left
_flooding_credentials: dict[
    bytes, tuple[UUID, UUID]
] = {}  # by credentials: the tenant and actor who go on after refusals


class LeaseNeeded(Exception):  # it is a step of the way, and nobody's error
    """This process has nothing left to count for the actor: take a lease, and begin again."""

    def __init__(self, scope: Scope, credentials: bytes = b"") -> None:
        super().__init__(scope.tenant.slug)
        self.tenant_id, self.slug, self.per_minute = (
            scope.tenant_id,
            scope.tenant.slug,
            scope.tenant.requests_per_minute,
        )
        self.actor_id: UUID = scope.actor.id or scope.tenant_id
        self.credentials = credentials

    @property
    def place(self) -> tuple[UUID, UUID]:
        return self.tenant_id, self.actor_id


def burst_of(per_minute: int) -> int:
    """Return how much of a minute a tenant may have at once: a second's worth, or all of a small limit."""
    return min(per_minute, max(_LEAST_BURST, per_minute // 60))


def credentials_of(headers: Mapping[str, str]) -> bytes:
    """Return what tells one caller's credentials from another's, without keeping them."""
    credentials = headers.get("x-api-key") or headers.get("authorization") or ""
    return hashlib.sha256(credentials.encode(errors="surrogatepass")).digest()


def reject_flood(headers: Mapping[str, str]) -> None:
    """Reject from memory, without a database call, credentials that were rejected repeatedly just now: TooMany."""
    if not _flooding_credentials:
        return
    now = time.monotonic()
    with _lock:
        place = _flooding_credentials.get(credentials_of(headers))
        lease, shared = (_actor_leases.get(place), _tenant_leases.get(place[0])) if place else (None, None)
        if shared and shared.left and shared.ends > now:  # there is something again
            return
        if lease is None or lease.refused < _REFUSALS_BEFORE_MEMORY or not lease.is_spent(now):
            return
    logger.thread_safe_append_keys(tenant=lease.slug)
    raise _too_many(lease, now)


def spend(scope: Scope, credentials: bytes = b"") -> None:
    """Count one request of an actor; TooMany at the limit, Unleased where the database has to be asked."""
    now, need = time.monotonic(), LeaseNeeded(scope, credentials)
    with _lock:
        shared = _tenant_leases.get(need.tenant_id)
        if shared is None or not shared.holds(now, need.per_minute):
            raise need
        if shared.left:
            shared.left -= 1
            shared.counted[need.actor_id] += 1
            return
        own = _actor_leases.get(need.place)
        if own is None or not own.holds(now, need.per_minute):
            raise need
        if own.left:  # counted when it was lent
            own.left -= 1
            return
        if not own.is_spent(now):
            if own.refused >= _REFUSALS_BEFORE_MEMORY:
                own.asks = now + _RECHECK  # one asks for all of a flood, and the others hear from it
            raise need
        _refuse(own, need)
    raise _too_many(own, now)


def take_lease(need: LeaseNeeded) -> None:
    """Take a lease and count the request that needed it; TooMany where nothing is left for now."""
    per_minute, burst = need.per_minute, burst_of(need.per_minute)
    with _lock:
        shared = _tenant_leases.get(need.tenant_id)
        counted, before = (shared.counted, shared) if shared else (Counter[UUID](), None)
        if before:
            before.counted = Counter()
    with transaction(tenant_id=need.tenant_id) as session:
        granted = session.execute(
            _LEASE,
            {
                "tenant_id": need.tenant_id,
                "actor_id": need.actor_id,
                "per_minute": per_minute,
                "burst": burst,
                "most": _MOST,
                "share": SHARE,
                "counted": json.dumps({str(actor): requests for actor, requests in counted.items()}),
            },
        ).one()
    now, rest = time.monotonic(), max(granted.seconds, 0.001)
    pause = min(rest, max(_PAUSE, 60 / max(1, per_minute - burst)))  # there is more of the minute, but later
    fresh = _Lease(max(0, granted.lease - 1), now + rest, per_minute, need.slug)
    if not granted.lease:
        fresh.opens = now + (pause if granted.taken < per_minute else rest)
        fresh.asks = min(fresh.opens, now + _RECHECK)
    with _lock:
        _evict_expired(now)
        if granted.is_own:
            _store_own_lease(need, fresh, granted, now, pause)
            fresh_shared = _Lease(0, now + rest, per_minute, need.slug)
            current = _tenant_leases.setdefault(need.tenant_id, fresh_shared)
            if not current.holds(now, per_minute):
                _tenant_leases[need.tenant_id] = fresh_shared
        else:
            _store_shared_lease(need, fresh, now, pause)
    if not granted.lease:
        raise _too_many(fresh, now)


def _store_shared_lease(need: LeaseNeeded, fresh: _Lease, now: float, pause: float) -> None:
    """Keep a lease that whoever asks here may use, and what the actor's earlier refusals say of a flood."""
    lease = _tenant_leases.get(need.tenant_id)
    if lease and lease.left and lease.holds(now, fresh.per_minute):
        lease.left += fresh.left  # another thread has taken one at the same time
    else:
        fresh.counted = lease.counted if lease else fresh.counted
        _tenant_leases[need.tenant_id] = lease = fresh
    lease.counted[need.actor_id] += 1
    own = _actor_leases.get(need.place)
    if own and own.ends > now - _RECHECK and own.refused >= _REFUSALS_BEFORE_MEMORY:
        # of the same flood, which a request or two were let out of
        own.ends, own.asks, own.opens, own.left = fresh.ends, now + pause, now + pause, 0
    else:
        _actor_leases.pop(need.place, None)


def _store_own_lease(need: LeaseNeeded, fresh: _Lease, granted: Any, now: float, pause: float) -> None:
    """Keep what an actor alone was lent, or that nothing was left for them."""
    own = _actor_leases.get(need.place)
    if own and own.ends > now - _RECHECK:
        fresh.refused = own.refused
        if granted.lease and fresh.refused >= _REFUSALS_BEFORE_MEMORY:
            fresh.asks = fresh.opens = now + pause
    if own and own.left and own.holds(now, fresh.per_minute):
        own.left += fresh.left
    else:
        _actor_leases[need.place] = fresh
    if fresh.refused >= _REFUSALS_BEFORE_MEMORY and need.credentials:
        _flooding_credentials[need.credentials] = need.place


def _refuse(own: _Lease, need: LeaseNeeded) -> None:
    own.refused += 1
    if own.refused >= _REFUSALS_BEFORE_MEMORY and need.credentials:
        _flooding_credentials[need.credentials] = need.place


def clear() -> None:
    """Forget all leases, as a new process does."""
    with _lock:
        for known in (_tenant_leases, _actor_leases, _flooding_credentials):
            known.clear()


def _evict_expired(now: float) -> None:
    """Forget what is over, where one process has come to know of many."""
    if len(_tenant_leases) >= MOST_KEPT:
        for tenant_id in [one for one, lease in _tenant_leases.items() if lease.ends <= now]:
            del _tenant_leases[tenant_id]
    if len(_actor_leases) >= MOST_ACTORS or len(_flooding_credentials) >= MOST_ACTORS:
        for place in [one for one, lease in _actor_leases.items() if lease.ends <= now]:
            del _actor_leases[place]
        for credentials in [one for one, place in _flooding_credentials.items() if place not in _actor_leases]:
            del _flooding_credentials[credentials]


def _too_many(lease: _Lease, now: float) -> TooMany:
    count("Limited")
    wait = max(1, ceil(lease.opens - now))
    whole = burst_of(lease.per_minute) == lease.per_minute
    usage = (
        f"made its {lease.per_minute} requests of this minute"
        if whole
        else (f"made as many requests as {lease.per_minute} a minute allow for by now")
    )
    return TooMany(f"This tenant has {usage}; go on in {wait} s.", wait=wait)
