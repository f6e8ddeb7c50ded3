"""Reads of bank files, and of the payouts that are in them or wait for one."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, text

from chalicelib.backing.database import Record
from chalicelib.backing.rows import every
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.payouts.batches.models import payout_batches
from chalicelib.features.payouts.models import PayoutRow, payouts
from chalicelib.features.people.destinations.models import payout_destinations
from chalicelib.features.people.destinations.rules import DestinationKind
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import IN_FLIGHT, PayoutStatus

PROVIDER = "bank_file"

# One row per payout of a file whose person was paid elsewhere before, and that not long ago.
_CHANGED = text("""
    select p.id as payout_id, p.user_id, d.holder, d.masked,
        case when d.requested_at is null then d.created_at else d.confirmed_at end as changed_at
    from payouts p
    join payout_batches b on b.tenant_id = :tenant_id and b.id = p.batch_id
    join payout_destinations d on d.tenant_id = :tenant_id and d.id = p.destination_id
        and coalesce(d.confirmed_at, d.created_at) > b.created_at - interval '30 days'
    where p.tenant_id = :tenant_id and p.batch_id = :batch_id and exists (
        select from payout_destinations o
        where o.tenant_id = :tenant_id and o.user_id = p.user_id and o.id <> d.id and o.created_at < d.created_at
          and (o.requested_at is null or o.confirmed_at is not null))
    order by changed_at desc, p.id limit 200""")


def page_of_batches(scope: Scope, query: PageQuery) -> Record:
    """Read one page of batches, oldest first, with what became of their payouts."""
    rows = select(payout_batches).where(payout_batches.c.tenant_id == scope.tenant_id)
    page = page_of(scope, rows, key=payout_batches.c.id, query=query)
    progress = _progress(scope, [row["id"] for row in page["items"]])
    return {**page, "items": [{**row, **progress[row["id"]]} for row in page["items"]]}


def get_batch(scope: Scope, batch_id: UUID) -> Record:
    """Read one batch with what became of its payouts, or NotFound."""
    row = get_row(scope, payout_batches, batch_id, what="batch")
    return {**row, **_progress(scope, [batch_id])[batch_id]}


def get_whole_batch(scope: Scope, batch_id: UUID) -> Record:
    """Return one batch with the payouts that go to bank details which were changed lately."""
    rows = scope.session.execute(_CHANGED, {"tenant_id": scope.tenant_id, "batch_id": batch_id}).mappings()
    return {**get_batch(scope, batch_id), "changed_destinations": [dict(row) for row in rows]}


def lock_payouts(scope: Scope, batch_id: UUID) -> list[PayoutRow]:
    """Read the payouts of a batch and keep others from moving them until the transaction ends."""
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
    """Read the payouts in bank files that a report may be about, by reference or batch, and lock them."""
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


def numbers_of(scope: Scope, batch_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the numbers of batches by id, in their order."""
    rows = scope.session.execute(
        select(payout_batches.c.id, payout_batches.c.number)
        .where(payout_batches.c.tenant_id == scope.tenant_id, payout_batches.c.id.in_(batch_ids))
        .order_by(payout_batches.c.number)
    ).all()
    return {row.id: row.number for row in rows}


def count_open(scope: Scope, batch_ids: Collection[UUID]) -> dict[UUID, int]:
    """Count the payouts of batches that the bank has not answered for yet."""
    rows = scope.session.execute(
        select(payouts.c.batch_id, func.count().label("payouts"))
        .where(
            payouts.c.tenant_id == scope.tenant_id, payouts.c.batch_id.in_(batch_ids), payouts.c.status.in_(IN_FLIGHT)
        )
        .group_by(payouts.c.batch_id)
    ).all()
    return {row.batch_id: row.payouts for row in rows}


def lock_waiting(scope: Scope, *, kinds: Collection[DestinationKind], currency: str | None, limit: int) -> list[Record]:
    """Read the oldest payouts that wait for a file and have an account of these kinds, and hold them."""
    rows = _waiting(
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
        rows = rows.where(payouts.c.currency == currency)
    found = scope.session.execute(
        rows.where(payout_destinations.c.kind.in_(kinds))
        .order_by(payouts.c.id)
        .limit(limit)
        .with_for_update(of=payouts)
    ).mappings()
    return [dict(row) for row in found]


def count_waiting(scope: Scope) -> dict[tuple[DestinationKind, str], int]:
    """Count the payouts that wait for a file, by the kind of their account and their currency."""
    kind = payout_destinations.c.kind
    rows = scope.session.execute(
        _waiting(scope, select(kind, payouts.c.currency, func.count().label("payouts")))
        .group_by(kind, payouts.c.currency)
        .order_by(kind, payouts.c.currency)
    ).all()
    return {(DestinationKind(row.kind), row.currency): row.payouts for row in rows}


def _waiting(scope: Scope, columns: Select[Any]) -> Select[Any]:
    same: ColumnElement[bool] = (payout_destinations.c.tenant_id == payouts.c.tenant_id) & (
        payout_destinations.c.id == payouts.c.destination_id
    )
    return columns.select_from(payouts.join(payout_destinations, same)).where(
        payouts.c.tenant_id == scope.tenant_id, payouts.c.status == PayoutStatus.QUEUED, payouts.c.provider == PROVIDER
    )


def _progress(scope: Scope, batch_ids: Collection[UUID]) -> dict[UUID, Record]:
    """Return what became of the payouts of batches: it is counted and never stored, so it is always so."""
    rows = scope.session.execute(
        select(
            payouts.c.batch_id,
            payouts.c.status,
            func.count().label("payouts"),
            func.max(payouts.c.settled_at).label("settled_at"),
        )
        .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.batch_id.in_(batch_ids))
        .group_by(payouts.c.batch_id, payouts.c.status)
        .order_by(payouts.c.batch_id, payouts.c.status)
    ).all()
    found = defaultdict(list)
    for row in rows:
        found[row.batch_id].append(row)
    return {batch_id: _summed(found[batch_id]) for batch_id in batch_ids}


def _summed(rows: list[Any]) -> Record:
    is_open = any(row.status in IN_FLIGHT for row in rows)
    return {
        "by_status": {row.status: row.payouts for row in rows},
        "status": "open" if is_open else "closed",
        "closed_at": None if is_open else max((row.settled_at for row in rows), default=None),
    }
