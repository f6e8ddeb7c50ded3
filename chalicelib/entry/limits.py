"""The rate limit: how many requests a tenant may make in a minute, counted in memory by leases from the database.

The database holds one row per tenant: the running minute, and how much of it was handed out. A process takes a lease
of some requests from it in one call (`lease_requests`) and counts these in memory; the lease expires with the minute.
So a tenant never gets more than its limit (and what is lent, below) from all processes together. Near the limit leases
shrink to single requests, so that few lie unused.

Within the minute the row is a token bucket: `burst_of` the limit at any moment, refilled evenly by the rest of the
limit as the minute goes by; what is left unused beyond that is lost. Handed out at once, a tenant that asks for twenty
times its limit would have all of it in three seconds, and slow every other tenant meanwhile. Small limits are all
burst: they are counted by the minute alone. The minute stays because the sum within a minute is what tenants are
promised: a token bucket as large as the limit would allow nearly twice that
(docs/decisions/0036-rate-limit-leases.md).

No actor takes the whole limit from the others (fair shares). With its next lease a process reports how many requests
of which actor it counted, and the row keeps the actors with most. Where the pace is used up, an actor who made less
than SHARE of it is lent requests of its own: others are answered while one floods, and a single actor may have
everything. The tenant is ahead of its limit by SHARE of a burst at most, and gets that much less next.

A lease is taken in a short transaction of its own, before the request's: no request waits for the row until a long
one commits, and none needs a second connection while it has one. After some refusals a caller who goes on is rejected
from memory, by its credentials: a flood must not cost a database call per request, nor slow its neighbours.
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

MOST_KEPT = 1000  # tenants in this process's memory; beyond that, those whose minute is over are evicted
MOST_ACTORS = 10_000  # likewise, actors that were refused or lent something
SHARE = 0.25  # of a tenant's pace and burst, guaranteed to each actor

# A tenant's minute begins with its first request, so that the minutes of all tenants do not begin at once. A lease of
# 0 means that nothing is left; the process then refuses by itself for a while.
_LEASE = text("""
    select lease, taken, seconds, is_own from lease_requests(
        :tenant_id, :actor_id, :per_minute, :burst, :most, cast(:share as numeric), cast(:counted as jsonb))""")
_LARGEST_LEASE = 100  # requests
_LEAST_BURST = 20  # requests, if the limit is as high: a page of the console sends a dozen at once
_ASK_AGAIN_AFTER = 0.1  # seconds, at least, until a process asks again for a tenant over its pace; many may ask
_RECHECK = 1.0  # ... and at most, so that a raised limit is seen soon, and a thread that died asking is replaced
_REFUSALS_BEFORE_MEMORY = 3  # refusals that the database decides; after those, a flood is refused from memory


@dataclass(slots=True)
class _Lease:
    """Requests that a process may still count by itself, and when it may ask for more; times are monotonic.

    A refusal asks the caller to wait until `more_at`. The process asks earlier, at `ask_again_at`; a limit may rise.
    """

    remaining: int
    ends_at: float
    per_minute: int
    slug: str
    ask_again_at: float = 0.0
    more_at: float = 0.0
    refused: int = 0
    counted: Counter[UUID] = field(default_factory=Counter)  # by actor, not yet reported to the database

    def is_spent(self, now: float) -> bool:
        return not self.remaining and now < min(self.ask_again_at, self.ends_at)

    def is_valid(self, now: float, per_minute: int) -> bool:
        return self.ends_at > now and self.per_minute == per_minute


_lock = threading.Lock()
_ActorKey = tuple[UUID, UUID]  # tenant, actor
_tenant_leases: dict[UUID, _Lease] = {}  # for any actor of the tenant
_actor_leases: dict[_ActorKey, _Lease] = {}  # what was lent to one actor, or that nothing was left for it
_flooding_credentials: dict[bytes, _ActorKey] = {}  # hashes of credentials that go on after refusals


class LeaseNeeded(Exception):  # control flow, not an error
    """This process has no lease left for the actor: take one, and begin the request again."""

    def __init__(self, scope: Scope, credentials: bytes = b"") -> None:
        super().__init__(scope.tenant.slug)
        self.tenant_id = scope.tenant_id
        self.slug = scope.tenant.slug
        self.per_minute = scope.tenant.requests_per_minute
        self.actor_id: UUID = scope.actor.id or scope.tenant_id
        self.credentials = credentials

    @property
    def key(self) -> _ActorKey:
        return self.tenant_id, self.actor_id


def burst_of(per_minute: int) -> int:
    """Return how many requests a tenant may make at once: a second's worth, or all of a small limit."""
    return min(per_minute, max(_LEAST_BURST, per_minute // 60))


def credentials_of(headers: Mapping[str, str]) -> bytes:
    """Return a hash of the caller's credentials, which identifies them without keeping them."""
    credentials = headers.get("x-api-key") or headers.get("authorization") or ""
    return hashlib.sha256(credentials.encode(errors="surrogatepass")).digest()


def reject_flood(headers: Mapping[str, str]) -> None:
    """Reject from memory, without a database call, a caller rejected repeatedly just now. Raises TooMany."""
    if not _flooding_credentials:
        return
    now = time.monotonic()
    with _lock:
        key = _flooding_credentials.get(credentials_of(headers))
        lease, tenant_lease = (_actor_leases.get(key), _tenant_leases.get(key[0])) if key else (None, None)
        if tenant_lease and tenant_lease.remaining and tenant_lease.ends_at > now:  # the tenant has requests again
            return
        if lease is None or lease.refused < _REFUSALS_BEFORE_MEMORY or not lease.is_spent(now):
            return
    logger.thread_safe_append_keys(tenant=lease.slug)
    raise _too_many(lease, now)


def spend(scope: Scope, credentials: bytes = b"") -> None:
    """Count one request of an actor. Raises TooMany at the limit, LeaseNeeded where the database has to be asked."""
    now, need = time.monotonic(), LeaseNeeded(scope, credentials)
    with _lock:
        tenant_lease = _tenant_leases.get(need.tenant_id)
        if tenant_lease is None or not tenant_lease.is_valid(now, need.per_minute):
            raise need
        if tenant_lease.remaining:
            tenant_lease.remaining -= 1
            tenant_lease.counted[need.actor_id] += 1
            return
        actor_lease = _actor_leases.get(need.key)
        if actor_lease is None or not actor_lease.is_valid(now, need.per_minute):
            raise need
        if actor_lease.remaining:  # counted when it was lent
            actor_lease.remaining -= 1
            return
        if not actor_lease.is_spent(now):
            if actor_lease.refused >= _REFUSALS_BEFORE_MEMORY:
                actor_lease.ask_again_at = now + _RECHECK  # one request asks on behalf of the whole flood
            raise need
        _count_refusal(actor_lease, need)
    raise _too_many(actor_lease, now)


def take_lease(need: LeaseNeeded) -> None:
    """Take a lease from the database and count the request that needed it. Raises TooMany if nothing is left now."""
    per_minute, burst = need.per_minute, burst_of(need.per_minute)
    with _lock:
        tenant_lease = _tenant_leases.get(need.tenant_id)
        counted = tenant_lease.counted if tenant_lease else Counter[UUID]()
        if tenant_lease:
            tenant_lease.counted = Counter()  # reported with this lease
    with transaction(tenant_id=need.tenant_id) as session:
        granted = session.execute(
            _LEASE,
            {
                "tenant_id": need.tenant_id,
                "actor_id": need.actor_id,
                "per_minute": per_minute,
                "burst": burst,
                "most": _LARGEST_LEASE,
                "share": SHARE,
                "counted": json.dumps({str(actor): requests for actor, requests in counted.items()}),
            },
        ).one()
    now, rest = time.monotonic(), max(granted.seconds, 0.001)
    pause = min(rest, max(_ASK_AGAIN_AFTER, 60 / max(1, per_minute - burst)))  # until the pace allows more
    fresh = _Lease(max(0, granted.lease - 1), now + rest, per_minute, need.slug)
    if not granted.lease:
        fresh.more_at = now + (pause if granted.taken < per_minute else rest)
        fresh.ask_again_at = min(fresh.more_at, now + _RECHECK)
    with _lock:
        _evict_expired(now)
        if granted.is_own:
            _store_own_lease(need, fresh, granted, now, pause)
            fresh_shared = _Lease(0, now + rest, per_minute, need.slug)
            current = _tenant_leases.setdefault(need.tenant_id, fresh_shared)
            if not current.is_valid(now, per_minute):
                _tenant_leases[need.tenant_id] = fresh_shared
        else:
            _store_shared_lease(need, fresh, now, pause)
    if not granted.lease:
        raise _too_many(fresh, now)


def _store_shared_lease(need: LeaseNeeded, fresh: _Lease, now: float, pause: float) -> None:
    """Store a lease for any actor of the tenant; an actor that was flooding stays rejected for a while."""
    lease = _tenant_leases.get(need.tenant_id)
    if lease and lease.remaining and lease.is_valid(now, fresh.per_minute):
        lease.remaining += fresh.remaining  # another thread took one at the same time
    else:
        fresh.counted = lease.counted if lease else fresh.counted
        _tenant_leases[need.tenant_id] = lease = fresh
    lease.counted[need.actor_id] += 1
    actor_lease = _actor_leases.get(need.key)
    if actor_lease and actor_lease.ends_at > now - _RECHECK and actor_lease.refused >= _REFUSALS_BEFORE_MEMORY:
        # still the same flood, of which a request or two were answered
        actor_lease.ends_at, actor_lease.remaining = fresh.ends_at, 0
        actor_lease.ask_again_at = actor_lease.more_at = now + pause
    else:
        _actor_leases.pop(need.key, None)


def _store_own_lease(need: LeaseNeeded, fresh: _Lease, granted: Any, now: float, pause: float) -> None:
    """Store what one actor was lent, or that nothing was left for it."""
    actor_lease = _actor_leases.get(need.key)
    if actor_lease and actor_lease.ends_at > now - _RECHECK:
        fresh.refused = actor_lease.refused
        if granted.lease and fresh.refused >= _REFUSALS_BEFORE_MEMORY:
            fresh.ask_again_at = fresh.more_at = now + pause
    if actor_lease and actor_lease.remaining and actor_lease.is_valid(now, fresh.per_minute):
        actor_lease.remaining += fresh.remaining
    else:
        _actor_leases[need.key] = fresh
    if fresh.refused >= _REFUSALS_BEFORE_MEMORY and need.credentials:
        _flooding_credentials[need.credentials] = need.key


def _count_refusal(actor_lease: _Lease, need: LeaseNeeded) -> None:
    actor_lease.refused += 1
    if actor_lease.refused >= _REFUSALS_BEFORE_MEMORY and need.credentials:
        _flooding_credentials[need.credentials] = need.key


def clear() -> None:
    """Forget all leases, as a new process has none."""
    with _lock:
        for known in (_tenant_leases, _actor_leases, _flooding_credentials):
            known.clear()


def _evict_expired(now: float) -> None:
    """Forget expired leases once there are many in memory."""
    if len(_tenant_leases) >= MOST_KEPT:
        for tenant_id in [one for one, lease in _tenant_leases.items() if lease.ends_at <= now]:
            del _tenant_leases[tenant_id]
    if len(_actor_leases) >= MOST_ACTORS or len(_flooding_credentials) >= MOST_ACTORS:
        for key in [one for one, lease in _actor_leases.items() if lease.ends_at <= now]:
            del _actor_leases[key]
        for credentials in [one for one, key in _flooding_credentials.items() if key not in _actor_leases]:
            del _flooding_credentials[credentials]


def _too_many(lease: _Lease, now: float) -> TooMany:
    """Return the 429 of a tenant at its limit, with the seconds to wait, and count it."""
    count("Limited")
    wait = max(1, ceil(lease.more_at - now))
    if burst_of(lease.per_minute) == lease.per_minute:
        usage = f"made its {lease.per_minute} requests of this minute"
    else:
        usage = f"made as many requests as {lease.per_minute} a minute allow for by now"
    return TooMany(f"This tenant has {usage}; go on in {wait} s.", wait=wait)
