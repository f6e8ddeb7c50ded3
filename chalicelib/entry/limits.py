"""How many requests a tenant may make in a minute, counted across processes at the price of a memory look-up.

The database holds one row per tenant: the minute now running, and how much of it was handed out. A process takes a
lease of some requests from it, and counts these by itself; the lease is lost with the minute. So a tenant never gets
more than its limit, whoever serves it; near the limit leases shrink to single requests, so that little lies unused.

A lease is taken in a short transaction of its own, before the request's: nobody waits for a row until a long request
commits, and nobody needs a second connection while holding one.
"""

import threading
import time
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.backing.log import count
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import TooMany

MOST_KEPT = 1000  # tenants that one process serves within a minute, before it forgets those whose minute is over

# A tenant's minute begins with its first request, so that tenants' minutes do not all begin at once. Nothing is left:
# the lease is 0, and the process refuses by itself until the minute is over.
_LEASE = text("""
    insert into request_windows as w (tenant_id, over_at, taken, lease)
    values (:tenant_id, clock_timestamp() + interval '1 minute', :first, :first)
    on conflict (tenant_id) do update set
        (over_at, taken, lease) = (
            select case when is_over then excluded.over_at else w.over_at end, used + part, part
            from (select w.over_at <= clock_timestamp() as is_over) asked,
                lateral (select case when is_over then 0 else w.taken end as used) counted,
                lateral (select greatest(0, least(:most, greatest(1, (:per_minute - used) / 50),
                                                  :per_minute - used)) as part) leased)
    returning lease, extract(epoch from over_at - clock_timestamp())::float8 as seconds""")
_MOST = 100


@dataclass(slots=True)
class _Lease:
    """What a process may still count by itself until `ends` (monotonic); empty: the database had nothing left."""

    left: int
    ends: float
    per_minute: int
    is_empty: bool


_lock = threading.Lock()
_leases: dict[UUID, _Lease] = {}


class Unleased(Exception):  # it is a step of the way, and nobody's error
    """This process has nothing left to count for the tenant: take a lease, and begin again."""

    def __init__(self, tenant_id: UUID, per_minute: int) -> None:
        super().__init__(str(tenant_id))
        self.tenant_id, self.per_minute = tenant_id, per_minute


def spend(scope: Scope) -> None:
    """This will count one request of the tenant; TooMany at its limit, Unleased where the database has to be asked."""
    tenant_id, per_minute = scope.tenant_id, scope.tenant.requests_per_minute
    with _lock:
        held = _leases.get(tenant_id)
        seconds = held.ends - time.monotonic() if held else 0.0
        if held is None or seconds <= 0 or held.per_minute != per_minute or not (held.left or held.is_empty):
            raise Unleased(tenant_id, per_minute)
        if held.left:
            held.left -= 1
            return
    raise _too_many(per_minute, seconds)


def lease(need: Unleased) -> None:
    """This will take a lease and count the request that needed it; TooMany where nothing is left of the minute."""
    per_minute = need.per_minute
    first = max(1, min(_MOST, per_minute // 50))
    with transaction(tenant_id=need.tenant_id) as session:
        found = session.execute(
            _LEASE, {"tenant_id": need.tenant_id, "per_minute": per_minute, "first": first, "most": _MOST}
        ).one()
    now = time.monotonic()
    with _lock:
        if len(_leases) >= MOST_KEPT:
            _forget(now)
        held = _leases.get(need.tenant_id)
        # another thread may have taken one at the same time
        more = held.left if held and held.ends > now and held.per_minute == per_minute else 0
        _leases[need.tenant_id] = _Lease(
            max(found.lease - 1, 0) + more, now + max(found.seconds, 0.001), per_minute, not found.lease
        )
    if not found.lease:
        raise _too_many(per_minute, found.seconds)


def clear() -> None:
    """This will forget all leases, as a new process does."""
    with _lock:
        _leases.clear()


def _forget(now: float) -> None:
    for tenant_id in [one for one, held in _leases.items() if held.ends <= now]:
        del _leases[tenant_id]


def _too_many(per_minute: int, seconds: float) -> TooMany:
    count("Limited")
    wait = max(1, ceil(seconds))
    return TooMany(f"This tenant has made its {per_minute} requests of this minute; go on in {wait} s.", wait=wait)
