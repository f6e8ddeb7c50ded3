"""Reads of bank files, and of the payouts that are in them or wait for one."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, text

from chalicelib.backing.database import statement
from chalicelib.backing.rows import every
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.features.payouts.batches import schemas
from chalicelib.features.payouts.batches.models import payout_batches
from chalicelib.features.payouts.batches.settings_schemas import Format
from chalicelib.features.payouts.models import PayoutRow, payouts
from chalicelib.features.people.destinations.models import payout_destinations
from chalicelib.features.people.destinations.rules import DestinationKind
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import IN_FLIGHT, PayoutStatus

PROVIDER = "bank_file"

_CHANGED = text(statement(__file__, "changed_destinations"))

B = TypeVar("B", bound=schemas.Batch)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A bank file; models.payout_batches says what each column means."""

    id: UUID
    number: int
    format: Format
    file_key: str
    file_name: str
    file_sha256: str
    payouts: int
    totals: Sequence[Mapping[str, Any]]  # schemas.Total
    execution_on: date
    created_by: str
    created_at: datetime
    handed_over_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """The states of a batch's payouts: how many have which, and since when all of them are settled."""

    by_status: Mapping[str, int]
    status: Literal["open", "closed"]
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChangedDestinationRow:
    """A payout of a file whose bank details replaced others lately."""

    payout_id: UUID
    user_id: UUID
    holder: str | None
    masked: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingPayout:
    """A payout that waits for a file, locked."""

    id: UUID
    reference: str
    amount: Decimal
    currency: str
    kind: str
    destination_id: UUID


@dataclass(frozen=True, slots=True)
class _StatusCount:
    """How many payouts of a batch have a status, and when the last of them was settled."""

    batch_id: UUID
    status: str
    payouts: int
    settled_at: datetime | None


def page_of_batches(scope: Scope, query: PageQuery) -> RowPage[schemas.Batch]:
    """Read one page of batches with their progress, oldest first."""
    batches = select(payout_batches).where(payout_batches.c.tenant_id == scope.tenant_id)
    page = page_rows(scope, batches, kind=BatchRow, key=payout_batches.c.id, query=query)
    progress = _load_progress(scope, [batch.id for batch in page.items])
    return page.map(lambda batch: _to_reply(schemas.Batch, batch, progress[batch.id]))


def get_batch_row(scope: Scope, batch_id: UUID, *, lock: bool = False) -> BatchRow:
    """Read one batch, or raise NotFound."""
    return get_row(scope, payout_batches, batch_id, kind=BatchRow, what="batch", lock=lock)


def get_batch(scope: Scope, batch_id: UUID) -> schemas.WholeBatch:
    """Return one batch with its progress and the payouts to bank details that changed lately, or raise NotFound."""
    changed = every(
        ChangedDestinationRow,
        scope.session.execute(_CHANGED, {"tenant_id": scope.tenant_id, "batch_id": batch_id}),
    )
    return _get_reply(scope, batch_id, schemas.WholeBatch, changed_destinations=changed)


def get_created_batch(
    scope: Scope, batch_id: UUID, *, left_out: Sequence[schemas.LeftOut], waiting: int
) -> schemas.CreatedBatch:
    """Return a batch that was just made, and what still waits for a file."""
    return _get_reply(scope, batch_id, schemas.CreatedBatch, left_out=left_out, waiting=waiting)


def lock_payouts(scope: Scope, batch_id: UUID) -> list[PayoutRow]:
    """Lock the payouts of a batch and return them."""
    return every(
        PayoutRow,
        scope.session.execute(
            select(payouts)
            .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.batch_id == batch_id)
            .order_by(payouts.c.id)
            .with_for_update()
        ),
    )


def lock_reported(
    scope: Scope, *, references: Collection[str], batch_ids: Collection[UUID], limit: int
) -> list[PayoutRow]:
    """Lock the payouts in bank files that a report may be about, by reference or batch, and return them."""
    named = payouts.c.reference.in_(references) | payouts.c.batch_id.in_(batch_ids)
    return every(
        PayoutRow,
        scope.session.execute(
            select(payouts)
            .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.batch_id.is_not(None), named)
            .order_by(payouts.c.id)
            .limit(limit)
            .with_for_update()
        ),
    )


def load_numbers(scope: Scope, batch_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the numbers of batches by id, in their order."""
    batches = scope.session.execute(
        select(payout_batches.c.id, payout_batches.c.number)
        .where(payout_batches.c.tenant_id == scope.tenant_id, payout_batches.c.id.in_(batch_ids))
        .order_by(payout_batches.c.number)
    ).all()
    return {batch.id: batch.number for batch in batches}


def count_open(scope: Scope, batch_ids: Collection[UUID]) -> dict[UUID, int]:
    """Count the payouts of batches that the bank has not answered for yet."""
    counts = scope.session.execute(
        select(payouts.c.batch_id, func.count().label("payouts"))
        .where(
            payouts.c.tenant_id == scope.tenant_id, payouts.c.batch_id.in_(batch_ids), payouts.c.status.in_(IN_FLIGHT)
        )
        .group_by(payouts.c.batch_id)
    ).all()
    return {count.batch_id: count.payouts for count in counts}


def lock_waiting(
    scope: Scope, *, kinds: Collection[DestinationKind], currency: str | None, limit: int
) -> list[WaitingPayout]:
    """Lock the oldest payouts that wait for a file and have an account of these kinds, and return them."""
    waiting = _from_waiting(
        scope,
        select(
            payouts.c.id,
            payouts.c.reference,
            payouts.c.amount,
            payouts.c.currency,
            payouts.c.kind,
            payouts.c.destination_id,
        ),
    )
    if currency is not None:
        waiting = waiting.where(payouts.c.currency == currency)
    locked = scope.session.execute(
        waiting.where(payout_destinations.c.kind.in_(kinds))
        .order_by(payouts.c.id)
        .limit(limit)
        .with_for_update(of=payouts)
    )
    return every(WaitingPayout, locked)


def count_waiting(scope: Scope) -> dict[tuple[DestinationKind, str], int]:
    """Count the payouts that wait for a file, by the kind of their account and their currency."""
    kind = payout_destinations.c.kind
    counts = scope.session.execute(
        _from_waiting(scope, select(kind, payouts.c.currency, func.count().label("payouts")))
        .group_by(kind, payouts.c.currency)
        .order_by(kind, payouts.c.currency)
    ).all()
    return {(DestinationKind(count.kind), count.currency): count.payouts for count in counts}


def _from_waiting(scope: Scope, columns: Select[Any]) -> Select[Any]:
    """Select columns from the payouts that wait for a file, with the bank details that each goes to."""
    is_destination: ColumnElement[bool] = (payout_destinations.c.tenant_id == payouts.c.tenant_id) & (
        payout_destinations.c.id == payouts.c.destination_id
    )
    return columns.select_from(payouts.join(payout_destinations, is_destination)).where(
        payouts.c.tenant_id == scope.tenant_id, payouts.c.status == PayoutStatus.QUEUED, payouts.c.provider == PROVIDER
    )


def _load_progress(scope: Scope, batch_ids: Collection[UUID]) -> dict[UUID, BatchProgress]:
    """Count the payouts of batches by status. Progress is never stored, so that it is always current."""
    counts = every(
        _StatusCount,
        scope.session.execute(
            select(
                payouts.c.batch_id,
                payouts.c.status,
                func.count().label("payouts"),
                func.max(payouts.c.settled_at).label("settled_at"),
            )
            .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.batch_id.in_(batch_ids))
            .group_by(payouts.c.batch_id, payouts.c.status)
            .order_by(payouts.c.batch_id, payouts.c.status)
        ),
    )
    by_batch: dict[UUID, list[_StatusCount]] = defaultdict(list)
    for count in counts:
        by_batch[count.batch_id].append(count)
    return {batch_id: _to_progress(by_batch[batch_id]) for batch_id in batch_ids}


def _to_progress(counts: Sequence[_StatusCount]) -> BatchProgress:
    """Return the progress of one batch: it is open while any of its payouts is in flight."""
    is_open = any(count.status in IN_FLIGHT for count in counts)
    settled_at = [count.settled_at for count in counts if count.settled_at is not None]
    return BatchProgress(
        by_status={count.status: count.payouts for count in counts},
        status="open" if is_open else "closed",
        closed_at=None if is_open else max(settled_at, default=None),
    )


def _get_reply(scope: Scope, batch_id: UUID, reply: type[B], **parts: object) -> B:
    """Read one batch with its progress, and return it as a reply."""
    batch = get_batch_row(scope, batch_id)
    return _to_reply(reply, batch, _load_progress(scope, [batch_id])[batch_id], **parts)


def _to_reply(reply: type[B], batch: BatchRow, progress: BatchProgress, **parts: object) -> B:
    """Return a batch with its progress as callers see it."""
    values = {name: getattr(batch, name) for name in schemas.Batch.model_fields if hasattr(batch, name)}
    return reply(**values, by_status=progress.by_status, status=progress.status, closed_at=progress.closed_at, **parts)
