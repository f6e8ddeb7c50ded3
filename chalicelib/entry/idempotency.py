"""Idempotency keys: the same key and body from the same actor gets the same reply, stored with the work's commit.

A key belongs to its sender, not to the tenant: otherwise an employee who used a key that payroll is about to use would
block it for two days. Replies to platform admins are kept in a table of their own, as they belong to no tenant.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.identity.scope import PlatformScope, Scope
from chalicelib.kernel.errors import Conflict, Invalid

KEPT_FOR = timedelta(days=2)

# A row from before senders were recorded has an id of zeros; its hash covers the sender, so it matches one caller.
_FIND_OF_TENANT = text("""
    select request_hash, status, headers, body from idempotency_keys
    where tenant_id = :tenant_id and key = :key and (actor_id = :actor_id
        or actor_id = '00000000-0000-0000-0000-000000000000' and request_hash = :digest)
    order by actor_id = :actor_id desc limit 1""")
_FIND_OF_PLATFORM = text("""
    select request_hash, status, headers, body from platform_idempotency_keys
    where actor_id = :actor_id and key = :key""")
_KEEP_OF_TENANT = text("""
    insert into idempotency_keys (tenant_id, actor_id, key, request_hash, status, headers, body)
    values (:tenant_id, :actor_id, :key, :digest, :status, cast(:headers as jsonb), :body)""")
_KEEP_OF_PLATFORM = text("""
    insert into platform_idempotency_keys (actor_id, key, request_hash, status, headers, body)
    values (:actor_id, :key, :digest, :status, cast(:headers as jsonb), :body)""")


@dataclass(frozen=True, slots=True)
class StoredReply:
    """An HTTP reply, ready to send."""

    status: int
    headers: dict[str, str]
    body: str


def key_digest(scope: Scope | PlatformScope, method: str, path: str, query: Mapping[str, str], body: bytes) -> bytes:
    """Return a hash of what makes two requests the same: actor, method, path, query and body."""
    actor = scope.actor
    request = json.dumps([actor.role, actor.name, str(actor.user_id), method, path, sorted(query.items())])
    return hashlib.sha256(request.encode() + b"\n" + body).digest()


def replay(scope: Scope | PlatformScope, key: str, digest: bytes) -> StoredReply | None:
    """Return the reply stored under this actor's key, or None for a new key, which is then claimed.

    The claim is an advisory lock until the transaction ends. Raises Invalid where the key was used for another
    request, Conflict while the first request with it is still running.
    """
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise Invalid("The Idempotency-Key must be 1 to 200 printable characters.")
    owner = scope.tenant_id if isinstance(scope, Scope) else "platform"
    claimed = scope.session.execute(
        text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"{owner}/{_sender(scope)}/{key}"},
    ).scalar_one()
    if not claimed:
        raise Conflict("A request with this Idempotency-Key is still running; ask again in a second.")
    row = scope.session.execute(
        _FIND_OF_TENANT if isinstance(scope, Scope) else _FIND_OF_PLATFORM,
        {**_key_columns(scope, key), "digest": digest},
    ).first()
    if row is None:
        return None
    if bytes(row.request_hash) != digest:
        raise Invalid("This Idempotency-Key was used for another request; use a new key for a new request.")
    return StoredReply(row.status, {**row.headers, "Idempotent-Replay": "true"}, row.body)


def keep(
    scope: Scope | PlatformScope, key: str, digest: bytes, reply: StoredReply, *, without: Sequence[str] = ()
) -> None:
    """Store a reply under its sender and key. A refused request stores nothing and may be sent again.

    Fields named in `without` are secrets that are shown once: they are stored as null.
    """
    body = json.dumps({**json.loads(reply.body), **dict.fromkeys(without)}) if without else reply.body
    if isinstance(scope, PlatformScope):  # its work may have entered a tenant, which hides this table
        scope.session.exec_driver_sql("set local role wagebook_platform")
    scope.session.execute(
        _KEEP_OF_TENANT if isinstance(scope, Scope) else _KEEP_OF_PLATFORM,
        {
            **_key_columns(scope, key),
            "digest": digest,
            "status": reply.status,
            "headers": json.dumps(reply.headers),
            "body": body,
        },
    )


def _sender(scope: Scope | PlatformScope) -> UUID:
    if scope.actor.id is None:
        raise ValueError("a request without an actor has no idempotency key")
    return scope.actor.id


def _key_columns(scope: Scope | PlatformScope, key: str) -> dict[str, Any]:
    tenant = {"tenant_id": scope.tenant_id} if isinstance(scope, Scope) else {}
    return {**tenant, "actor_id": _sender(scope), "key": key}


def forget(*, now: datetime) -> int:
    """Delete the replies of all tenants that are older than KEPT_FOR, and count them."""
    with transaction(role="wagebook_sweeper") as session:
        return sum(
            session.execute(text(f"delete from {table} where created_at < :old"), {"old": now - KEPT_FOR}).rowcount
            for table in ("idempotency_keys", "platform_idempotency_keys")
        )
