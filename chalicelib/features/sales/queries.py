"""Reads of sales."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, and_, any_, func, literal, select, true

from chalicelib.backing.database import Record
from chalicelib.entry.paging import page_of, position
from chalicelib.features.people.users.queries import get_user
from chalicelib.features.sales.models import pending_sales, sale_decisions, sales
from chalicelib.features.sales.schemas import SaleQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.money import MINOR_UNITS
from chalicelib.kernel.states import SaleStatus
from chalicelib.ledger.models import LedgerEvent, entries

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


def _whole(scope: Scope) -> Select[Any]:
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


def page_of_sales(scope: Scope, query: SaleQuery) -> Record:
    """Read one page of sales, oldest first."""
    rows = _whole(scope).where(scope.within("sales.read", sales.c.user_id))
    if query.user_id is not None:
        get_user(scope, query.user_id, "sales.read")
        rows = rows.where(sales.c.user_id == query.user_id)
    if query.status is SaleStatus.PENDING:
        rows = rows.where(sales.c.id.in_(_first_pending(scope, query)))
    elif query.status is not None:
        rows = rows.where(_LATEST.c.status == query.status)
    return page_of(scope, rows, key=sales.c.id, query=query)


def _first_pending(scope: Scope, query: SaleQuery) -> Select[Any]:
    # taken from the work list alone, which stays short: the sales themselves are mostly decided ones
    rows = select(pending_sales.c.sale_id).where(
        pending_sales.c.tenant_id == scope.tenant_id, scope.within("sales.read", pending_sales.c.user_id)
    )
    if query.user_id is not None:
        rows = rows.where(pending_sales.c.user_id == query.user_id)
    if query.cursor:
        rows = rows.where(pending_sales.c.sale_id > position(query.cursor, UUID))
    return rows.order_by(pending_sales.c.sale_id).limit(query.limit + 1)


def get_sale(scope: Scope, sale_id: UUID) -> Record:
    """Read one sale."""
    return _one(scope, _whole(scope).where(sales.c.id == sale_id, scope.within("sales.read", sales.c.user_id)))


def get_sale_by_external_id(scope: Scope, external_id: str) -> Record:
    """Read the sale that a shop knows under this id."""
    return _one(scope, _whole(scope).where(sales.c.external_id == external_id))


def _one(scope: Scope, rows: Select[Any]) -> Record:
    found = scope.session.execute(rows).mappings().first()
    if found is None:
        raise NotFound("There is no such sale.")
    return dict(found)


def find_people_of(scope: Scope, sale_ids: Sequence[UUID]) -> list[UUID]:
    """List the people whose sales these are; ids that are no sale's are left out."""
    # one array: ten thousand placeholders take longer to write than their rows to find
    ids = literal(list(sale_ids), ARRAY(Uuid))
    rows = select(sales.c.user_id).distinct().where(sales.c.tenant_id == scope.tenant_id, sales.c.id == any_(ids))
    return list(scope.session.execute(rows).scalars())


def sum_pending(scope: Scope, user_id: UUID) -> dict[str, Any]:
    """Sum what a person may still earn from sales that are not decided, by currency."""
    rows = (
        select(sales.c.currency, func.sum(sales.c.earning))
        .select_from(
            pending_sales.join(
                sales, and_(sales.c.tenant_id == pending_sales.c.tenant_id, sales.c.id == pending_sales.c.sale_id)
            )
        )
        .where(pending_sales.c.tenant_id == scope.tenant_id, pending_sales.c.user_id == user_id)
        .group_by(sales.c.currency)
    )
    return dict(scope.session.execute(rows).tuples().all())
