"""Reads of adjustments."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from chalicelib.backing.database import Record
from chalicelib.entry.paging import page_of
from chalicelib.features.adjustments.models import payroll_adjustments
from chalicelib.features.adjustments.schemas import AdjustmentQuery
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope

# under the names that go out
COLUMNS: tuple[ColumnElement[Any], ...] = (
    *(column for column in payroll_adjustments.c if column.name not in ("tenant_id", "effective_on")),
    payroll_adjustments.c.effective_on.label("effective_date"),
)


def page_of_adjustments(scope: Scope, query: AdjustmentQuery) -> Record:
    """Read one page of the adjustments of everybody whom the caller may see, oldest first."""
    rows = select(*COLUMNS).where(
        payroll_adjustments.c.tenant_id == scope.tenant_id,
        scope.within("adjustments.read", payroll_adjustments.c.user_id),
    )
    if query.user_id is not None:
        people.get_user(scope, query.user_id, "adjustments.read")
        rows = rows.where(payroll_adjustments.c.user_id == query.user_id)
    if query.kind is not None:
        rows = rows.where(payroll_adjustments.c.kind == query.kind)
    if query.open is not None:
        paid = payroll_adjustments.c.paid_at
        rows = rows.where(paid.is_(None) if query.open else paid.is_not(None))
    return page_of(scope, rows, key=payroll_adjustments.c.id, query=query)


def get_adjustment(scope: Scope, adjustment_id: UUID) -> Record:
    """Read one adjustment of the tenant that is known to be there."""
    return dict(
        scope.session.execute(
            select(*COLUMNS).where(
                payroll_adjustments.c.tenant_id == scope.tenant_id, payroll_adjustments.c.id == adjustment_id
            )
        )
        .mappings()
        .one()
    )
