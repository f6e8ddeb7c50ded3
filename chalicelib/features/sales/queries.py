"""Reads of sales."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, and_, any_, func, literal, select, true

from chalicelib.backing import rows
from chalicelib.entry.paging import RowPage, decode_cursor, page_rows
from chalicelib.features.people.users.queries import get_user
from chalicelib.features.sales.models import pending_sales, sale_decisions, sales
from chalicelib.features.sales.schemas import SaleQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.money import MINOR_UNITS
from chalicelib.kernel.states import SaleStatus
from chalicelib.ledger.models import LedgerEvent, entries


@dataclass(frozen=True, slots=True)
class SaleDetails:
    """A sale with its advance and its latest decision."""

    id: UUID
    user_id: UUID
    brand: str | None
    external_id: str | None
    earning: Decimal
    currency: str
    occurred_at: datetime
    created_at: datetime
    advance: Decimal
    status: str
    reason: str | None
    decided_at: datetime | None


MINOR_UNITS_JSON = json.dumps(MINOR_UNITS)

_LATEST = (
    select(sale_decisions)
    .where(sale_decisions.c.tenant_id == sales.c.tenant_id, sale_decisions.c.sale_id == sales.c.id)
    .order_by(sale_decisions.c.revision.desc())
    .limit(1)
    .lateral("latest")
)
_ADVANCE = (
    select(entries.c.amount)
    .where(
        entries.c.tenant_id == sales.c.tenant_id,
        entries.c.subject_id == sales.c.id,
        entries.c.event == LedgerEvent.ADVANCE,
        entries.c.revision == 1,
        entries.c.line == 1,
    )
    .lateral("advance")
)


def _select_details(scope: Scope) -> Select[Any]:
    """Build the select of sales with advance and latest decision, as SaleDetails."""
    return (
        select(
            sales,
            func.coalesce(_ADVANCE.c.amount, sales.c.earning * 0).label("advance"),  # a zero in minor units
            func.coalesce(_LATEST.c.status, SaleStatus.PENDING.value).label("status"),
            _LATEST.c.reason,
            _LATEST.c.decided_at,
        )
        .select_from(sales.outerjoin(_ADVANCE, true()).outerjoin(_LATEST, true()))
        .where(sales.c.tenant_id == scope.tenant_id)
    )


def page_of_sales(scope: Scope, query: SaleQuery) -> RowPage[SaleDetails]:
    """Read one page of sales, oldest first."""
    select_sales = _select_details(scope).where(scope.within("sales.read", sales.c.user_id))
    if query.user_id is not None:
        get_user(scope, query.user_id, "sales.read")
        select_sales = select_sales.where(sales.c.user_id == query.user_id)
    if query.status is SaleStatus.PENDING:
        select_sales = select_sales.where(sales.c.id.in_(_first_pending(scope, query)))
    elif query.status is not None:
        select_sales = select_sales.where(_LATEST.c.status == query.status)
    return page_rows(scope, select_sales, kind=SaleDetails, key=sales.c.id, query=query)


def _first_pending(scope: Scope, query: SaleQuery) -> Select[Any]:
    """Build the select of the ids on a page of pending sales.

    From the work list alone, which stays short: the sales themselves are mostly decided ones.
    """
    select_ids = select(pending_sales.c.sale_id).where(
        pending_sales.c.tenant_id == scope.tenant_id, scope.within("sales.read", pending_sales.c.user_id)
    )
    if query.user_id is not None:
        select_ids = select_ids.where(pending_sales.c.user_id == query.user_id)
    if query.cursor:
        select_ids = select_ids.where(pending_sales.c.sale_id > decode_cursor(query.cursor, UUID))
    return select_ids.order_by(pending_sales.c.sale_id).limit(query.limit + 1)


def get_sale(scope: Scope, sale_id: UUID) -> SaleDetails:
    """Return one sale within reach, or raise NotFound."""
    return _get_one(
        scope, _select_details(scope).where(sales.c.id == sale_id, scope.within("sales.read", sales.c.user_id))
    )


def get_sale_by_external_id(scope: Scope, external_id: str) -> SaleDetails:
    """Return the sale that a shop knows under this id, or raise NotFound."""
    return _get_one(scope, _select_details(scope).where(sales.c.external_id == external_id))


def _get_one(scope: Scope, select_sale: Select[Any]) -> SaleDetails:
    if (sale := rows.first(SaleDetails, scope.session.execute(select_sale))) is None:
        raise NotFound("There is no such sale.")
    return sale


def list_sellers(scope: Scope, sale_ids: Sequence[UUID]) -> list[UUID]:
    """List the employees whose sales these are; ids that are no sale's are left out."""
    # one array: ten thousand placeholders take longer to write than their rows to find
    ids = literal(list(sale_ids), ARRAY(Uuid))
    select_user_ids = (
        select(sales.c.user_id).distinct().where(sales.c.tenant_id == scope.tenant_id, sales.c.id == any_(ids))
    )
    return list(scope.session.execute(select_user_ids).scalars())


def sum_pending(scope: Scope, user_id: UUID) -> dict[str, Decimal]:
    """Sum what an employee may still earn from sales that are not decided, by currency."""
    select_sums = (
        select(sales.c.currency, func.sum(sales.c.earning))
        .select_from(
            pending_sales.join(
                sales, and_(sales.c.tenant_id == pending_sales.c.tenant_id, sales.c.id == pending_sales.c.sale_id)
            )
        )
        .where(pending_sales.c.tenant_id == scope.tenant_id, pending_sales.c.user_id == user_id)
        .group_by(sales.c.currency)
    )
    return dict(scope.session.execute(select_sums).tuples().all())
