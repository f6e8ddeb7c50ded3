"""Messages are written with the change that causes them and sent after its commit; sending twice is fine.

The door that wrote them sends them at once. Whatever it could not send, the sweeper finds a minute later.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.backing.log import count, logger

SWEEPS_FOR = 15  # seconds; half of what its function may take, so that the last batch is finished
# What should have gone by itself: a suspended tenant's messages are meant to wait.
_WAITING = """outbox o where sent_at is null and created_at < :old
    and exists (select from tenants t where t.id = o.tenant_id and t.status = 'active')"""


@dataclass(frozen=True, slots=True)
class Message:
    """One unit of work for one tenant, on its way to a queue."""

    tenant_id: UUID
    id: UUID
    queue: str
    body: dict[str, Any]


def put(connection: Connection, *, tenant_id: UUID, queue: str, bodies: Sequence[dict[str, Any]]) -> list[Message]:
    """Write messages into the current transaction; they exist if and only if it commits."""
    rows = connection.execute(
        text(
            "insert into outbox (tenant_id, queue, body)"
            " select :tenant_id, :queue, body from jsonb_array_elements(cast(:bodies as jsonb)) body"
            " returning id, body"
        ),
        {"tenant_id": tenant_id, "queue": queue, "bodies": json.dumps(bodies, default=str)},
    )
    return [Message(tenant_id, row.id, queue, row.body) for row in rows]


def park(connection: Connection, *, tenant_id: UUID, queue: str, body: dict[str, Any]) -> None:
    """Keep a message that came too early, for the sweeper to send again when the tenant is active.

    The very same message waits once, however often it came.
    """
    connection.execute(
        text(
            "insert into outbox (tenant_id, queue, body) select :tenant_id, :queue, cast(:body as jsonb)"
            " where not exists (select from outbox where tenant_id = :tenant_id and queue = :queue"
            " and body = cast(:body as jsonb) and sent_at is null)"
        ),
        {"tenant_id": tenant_id, "queue": queue, "body": json.dumps(body)},
    )


def send(messages: Sequence[Message]) -> int:
    """Send committed messages, count those sent, and mark them: a crash between the two sends twice.

    One that cannot be sent is counted and waits for the sweeper; a queue in trouble keeps no other from going.
    """
    sent: dict[UUID, list[UUID]] = {}
    for queue, waiting in _group_by_queue(messages).items():
        try:
            taken = queues.send_many(queue, [{**one.body, "tenant_id": str(one.tenant_id)} for one in waiting])
        except Exception:  # whatever is wrong with one queue, the others go
            logger.exception("messages wait", queue=queue, waiting=len(waiting))
            count("Unsent", len(waiting), queue=queue)
            continue
        for message, is_taken in zip(waiting, taken, strict=True):
            if is_taken:
                sent.setdefault(message.tenant_id, []).append(message.id)
            else:
                count("Unsent", queue=queue)
    for tenant_id, ids in sent.items():
        try:
            _mark_sent(tenant_id, ids)
        except Exception:  # they are sent again, which is fine; other tenants' are marked
            logger.exception("messages were sent and could not be marked", sent=len(ids))
    return sum(len(ids) for ids in sent.values())


def _mark_sent(tenant_id: UUID, ids: Sequence[UUID]) -> None:
    with transaction(tenant_id=tenant_id) as connection:
        connection.execute(
            text("update outbox set sent_at = now() where tenant_id = :tenant_id and id = any(:ids)"),
            {"tenant_id": tenant_id, "ids": ids},
        )


def sweep(*, now: datetime, limit: int = 500) -> int:
    """Send what was left unsent for a minute, forget what was sent a week ago, and count the former.

    It goes on, `limit` messages at a time, until it saw all or ran for SWEEPS_FOR: what a tenant's suspension kept is
    more than a minute's worth when it ends. What a suspended tenant has waits until it is active. What should have
    gone and did not is counted as OutboxLag.
    """
    old, ends_at = now - timedelta(minutes=1), monotonic() + SWEEPS_FOR
    with transaction(role="wagebook_sweeper") as connection:
        connection.execute(text("delete from outbox where sent_at < :old"), {"old": now - timedelta(days=7)})
    sent, rows = 0, _find_waiting(old, None, limit)
    while rows:
        sent += send([Message(row.tenant_id, row.id, row.queue, row.body) for row in rows])
        if len(rows) < limit or monotonic() > ends_at:
            break
        rows = _find_waiting(old, rows[-1], limit)
    with transaction(role="wagebook_sweeper") as connection:
        count("OutboxLag", connection.execute(text(f"select count(*) from {_WAITING}"), {"old": old}).scalar_one())
    return sent


def _find_waiting(old: datetime, last: Any, limit: int) -> Sequence[Any]:
    # Beyond the last one seen, sent or not: a queue in trouble keeps no other from going.
    beyond = {"at": last.created_at, "id": last.id} if last else {}
    with transaction(role="wagebook_sweeper") as connection:
        return connection.execute(
            text(
                f"select tenant_id, id, queue, body, created_at from {_WAITING}"
                f" {'and (created_at, id) > (:at, :id)' if last else ''} order by created_at, id limit :limit"
            ),
            {"old": old, "limit": limit, **beyond},
        ).all()


def _group_by_queue(messages: Sequence[Message]) -> dict[str, list[Message]]:
    queued: dict[str, list[Message]] = {}
    for message in messages:
        queued.setdefault(message.queue, []).append(message)
    return queued
