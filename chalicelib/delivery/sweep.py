"""The sweep of due attempts: rows of all tenants whose next attempt is due are sent to the queue that attempts them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Interval, Select, Table, func, literal, or_, select

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.delivery.retry import RetrySchedule
from chalicelib.identity.models import tenants

ACTIVE_TENANTS = tenants.c.status == "active"


def send_due(
    table: Table,
    *,
    queue: str,
    id_name: str,
    limit: int,
    conditions: Sequence[ColumnElement[bool]] = (),
    of_tenants: ColumnElement[bool] = ACTIVE_TENANTS,
    urgent_first: Sequence[ColumnElement[Any]] = (),
) -> int:
    """Send a message for each row whose next attempt is due, its id under `id_name`, and count them.

    Each tenant gets its share of the limit, so that a thousand rows of one do not keep another's waiting.
    """
    due = _select_due(table, conditions=conditions, of_tenants=of_tenants, urgent_first=urgent_first)
    with transaction(role="wagebook_sweeper") as session:
        rows = session.execute(due.limit(limit)).all()
    queues.send_many(queue, [{"tenant_id": str(row.tenant_id), id_name: str(row.id)} for row in rows])
    return len(rows)


def was_attempted_or_lost(
    attempts: ColumnElement[int], next_attempt_at: Any, retry: RetrySchedule
) -> ColumnElement[bool]:
    """Return the condition that leaves out new rows whose own message is still on its way."""
    lost_at = func.clock_timestamp() - literal(retry.resend_after, Interval)
    return or_(attempts > 0, next_attempt_at <= lost_at)


def _select_due(
    table: Table,
    *,
    conditions: Sequence[ColumnElement[bool]],
    of_tenants: ColumnElement[bool],
    urgent_first: Sequence[ColumnElement[Any]],
) -> Select[Any]:
    """Select due rows: the first of each tenant, then the second of each, and so on."""
    turn = func.row_number().over(partition_by=table.c.tenant_id, order_by=[*urgent_first, table.c.look_at])
    due = (
        select(table.c.tenant_id, table.c.id, table.c.look_at, turn.label("turn"))
        .where(
            # by the database's clock, as the moment was set by it
            table.c.look_at <= func.clock_timestamp(),
            select(literal(1)).select_from(tenants).where(tenants.c.id == table.c.tenant_id, of_tenants).exists(),
            *conditions,
        )
        .subquery("due")
    )
    return select(due.c.tenant_id, due.c.id).order_by(due.c.turn, due.c.look_at)
