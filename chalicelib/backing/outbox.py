"""The transactional outbox: messages are written with the change that causes them and sent after its commit.

The entry point that wrote them sends them at once; what it could not send, the sweeper sends a minute later. A message
may be sent twice, so consumers are idempotent.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.backing.log import count, logger
from chalicelib.backing.rows import every

SWEEPS_FOR = 15  # seconds; half of the function's timeout, so that the last batch is finished
_START = (datetime.min.replace(tzinfo=UTC), UUID(int=0))  # before every message
# Messages that should have been sent by now, after the last one seen; those of a suspended tenant are meant to wait.
_SELECT_UNSENT = text("""
    select tenant_id, id, queue, body, created_at from outbox o
    where sent_at is null and created_at < :old and (created_at, id) > (:at, :id)
      and exists (select from tenants t where t.id = o.tenant_id and t.status = 'active')
    order by created_at, id limit :limit""")
_COUNT_UNSENT = text("""
    select count(*) from outbox o
    where sent_at is null and created_at < :old
      and exists (select from tenants t where t.id = o.tenant_id and t.status = 'active')""")


@dataclass(frozen=True, slots=True)
class Message:
    """One unit of work for one tenant, on its way to a queue."""

    tenant_id: UUID
    id: UUID
    queue: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _UnsentRow:
    """A message that waits for the sweeper."""

    tenant_id: UUID
    id: UUID
    queue: str
    body: dict[str, Any]
    created_at: datetime


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
    """Keep a suspended tenant's message, for the sweeper to send again when the tenant is active.

    The same message is kept once, however often it was delivered.
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
    """Send committed messages, mark them as sent, and count them; a crash between the two sends them again.

    One that cannot be sent waits for the sweeper, and is counted as Unsent; a queue with errors stops no other queue.
    """
    sent: dict[UUID, list[UUID]] = {}
    for queue, waiting in _group_by_queue(messages).items():
        try:
            taken = queues.send_many(queue, [{**one.body, "tenant_id": str(one.tenant_id)} for one in waiting])
        except Exception:  # whatever is wrong with one queue, the others are sent
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
        except Exception:  # they will be sent again, which is harmless; other tenants' are marked
            logger.exception("messages were sent and could not be marked", sent=len(ids))
    return sum(len(ids) for ids in sent.values())


def _mark_sent(tenant_id: UUID, ids: Sequence[UUID]) -> None:
    with transaction(tenant_id=tenant_id) as connection:
        connection.execute(
            text("update outbox set sent_at = now() where tenant_id = :tenant_id and id = any(:ids)"),
            {"tenant_id": tenant_id, "ids": ids},
        )


def sweep(*, now: datetime, limit: int = 500) -> int:
    """Send messages that are unsent for a minute, delete those sent a week ago, and count the former.

    It goes on, `limit` messages at a time, until all were tried or SWEEPS_FOR is over, as the end of a tenant's
    suspension releases more than one batch. Messages that should have been sent and were not are the metric OutboxLag.
    """
    old, ends_at = now - timedelta(minutes=1), monotonic() + SWEEPS_FOR
    with transaction(role="wagebook_sweeper") as connection:
        connection.execute(text("delete from outbox where sent_at < :old"), {"old": now - timedelta(days=7)})
    sent, rows = 0, _list_unsent(old, _START, limit)
    while rows:
        sent += send([Message(row.tenant_id, row.id, row.queue, row.body) for row in rows])
        if len(rows) < limit or monotonic() > ends_at:
            break
        rows = _list_unsent(old, (rows[-1].created_at, rows[-1].id), limit)
    with transaction(role="wagebook_sweeper") as connection:
        count("OutboxLag", connection.execute(_COUNT_UNSENT, {"old": old}).scalar_one())
    return sent


def _list_unsent(old: datetime, last: tuple[datetime, UUID], limit: int) -> list[_UnsentRow]:
    # Start after the last one seen, sent or not: a queue with errors stops no other queue.
    values = {"old": old, "at": last[0], "id": last[1], "limit": limit}
    with transaction(role="wagebook_sweeper") as connection:
        return every(_UnsentRow, connection.execute(_SELECT_UNSENT, values))


def _group_by_queue(messages: Sequence[Message]) -> dict[str, list[Message]]:
    queued: dict[str, list[Message]] = {}
    for message in messages:
        queued.setdefault(message.queue, []).append(message)
    return queued
