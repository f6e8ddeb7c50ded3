"""The product under measurement: its consumers and endpoints, in a worker's own process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chalicelib.backing.outbox import Message
from chalicelib.entry.messages import process_message
from chalicelib.entry.registry import CONSUMERS
from chalicelib.entry.rows import ImportRow
from chalicelib.features.payouts.runs import actions as payouts
from chalicelib.features.payouts.runs import consumers as consumers  # so that they are registered
from chalicelib.features.sales import actions as sales
from chalicelib.features.sales.import_actions import import_rows
from chalicelib.features.sales.schemas import SaleDecision
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import SaleStatus
from infra.labs.bench.product import ORIGIN, peak_mb

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Did:
    """The result of one message or call, and the worker's peak memory."""

    number: int
    messages: list[dict[str, Any]]
    peak_mb: float


def carry_out(message: dict[str, Any]) -> Did:
    """Process one message of the payout runs; return the number of payouts and the chunk messages that it sends."""
    left: list[Message] = []
    process_message(CONSUMERS[payouts.QUEUE].function, message, name="queue", origin=ORIGIN, send=left.extend)
    chunks = [{**one.body, "tenant_id": str(one.tenant_id)} for one in left if one.queue == payouts.QUEUE]
    return Did(len(left) - len(chunks), chunks, peak_mb())


def decide(call: tuple[UUID, bytes]) -> Did:
    """Approve the sales of one call, whose ids are joined bytes."""
    tenant_id, sale_ids = call
    items = [
        SaleDecision.model_construct(sale_id=one, status=SaleStatus.APPROVED, reason=None, correction=False)
        for one in ids_of(sale_ids)
    ]
    counts = _transact(tenant_id, lambda scope: sales.decide(scope, items=items).counts)
    return Did(counts["ok"], [], peak_mb())


def bring_in(call: tuple[UUID, bytes, int, int]) -> Did:
    """Import new sales of one call, for a tenant's people in turn, numbered on from the first number."""
    tenant_id, user_ids, first, size = call
    people = [str(one) for one in ids_of(user_ids)]
    rows = [
        ImportRow(
            line,
            {
                "user_id": people[line % len(people)],
                "external_id": f"N{first + line:09}",
                "earning": "40.00",
                "brand": "Brand 7",
                "occurred_at": "2026-02-01T10:00:00+06:00",
            },
        )
        for line in range(1, size + 1)
    ]
    report = _transact(tenant_id, lambda scope: import_rows(scope, rows=rows, dry_run=False))
    return Did(report.added, [], peak_mb())


def ids_of(joined: bytes) -> list[UUID]:
    """Split joined bytes into ids; workers get ids joined, which is faster to pickle."""
    return [UUID(bytes=joined[place : place + 16]) for place in range(0, len(joined), 16)]


def _transact(tenant_id: UUID, work: Callable[[Scope], Any]) -> Any:
    # as an endpoint does it, with its audit rows
    with job_scope(tenant_id, name="bench", now=NOW, origin=ORIGIN) as scope:
        answer = work(scope)
        for last in scope.at_commit:
            last()
    return answer
