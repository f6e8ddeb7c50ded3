"""The same key and body gives the same answer, kept in the same transaction as the work."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Invalid

KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, ready to send."""

    status: int
    headers: dict[str, str]
    body: str


def key_digest(scope: Scope, method: str, path: str, query: Mapping[str, str], body: bytes) -> bytes:
    """This will give what makes two requests the same: who asks, for what, how (a dry run?), with which body."""
    actor = scope.actor
    said = json.dumps([actor.role, actor.name, str(actor.user_id), method, path, sorted(query.items())])
    return hashlib.sha256(said.encode() + b"\n" + body).digest()


def replay(scope: Scope, key: str, digest: bytes) -> Answer | None:
    """This will give the answer that this key had, refuse another body, and refuse while the first still runs."""
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise Invalid("The Idempotency-Key must be 1 to 200 printable characters.")
    claimed = scope.session.execute(
        text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"{scope.tenant_id}/{key}"},
    ).scalar_one()
    if not claimed:
        raise Conflict("A request with this Idempotency-Key is still running; ask again in a second.")
    row = scope.session.execute(
        text(
            "select request_hash, status, headers, body from idempotency_keys"
            " where tenant_id = :tenant_id and key = :key"
        ),
        {"tenant_id": scope.tenant_id, "key": key},
    ).first()
    if row is None:
        return None
    if bytes(row.request_hash) != digest:
        raise Invalid("This Idempotency-Key was used for another request; use a new key for a new request.")
    return Answer(row.status, {**row.headers, "Idempotent-Replay": "true"}, row.body)


def keep(scope: Scope, key: str, digest: bytes, answer: Answer, *, without: Sequence[str] = ()) -> None:
    """This will keep an answer under its key; a refused request keeps nothing and may be sent again.

    Fields named in `without` are secrets that are told once: they are kept as null.
    """
    body = json.dumps({**json.loads(answer.body), **dict.fromkeys(without)}) if without else answer.body
    scope.session.execute(
        text(
            "insert into idempotency_keys (tenant_id, key, request_hash, status, headers, body)"
            " values (:tenant_id, :key, :digest, :status, cast(:headers as jsonb), :body)"
        ),
        {"tenant_id": scope.tenant_id, "key": key, "digest": digest, "status": answer.status,
         "headers": json.dumps(answer.headers), "body": body},
    )  # fmt: skip


def forget(*, now: datetime) -> int:
    """This will forget answers that are two days old, of every tenant, and count them."""
    with transaction(role="wagebook_sweeper") as session:
        return session.execute(
            text("delete from idempotency_keys where created_at < :old"), {"old": now - KEPT_FOR}
        ).rowcount
