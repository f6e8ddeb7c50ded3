"""Reads of adjustments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import rows
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.adjustments.models import payroll_adjustments
from chalicelib.features.adjustments.schemas import AdjustmentQuery
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope


@dataclass(frozen=True, slots=True)
class AdjustmentRow:
    """A one-off amount of an employee, open or paid."""

    id: UUID
    user_id: UUID
    kind: str
    amount: Decimal
    currency: str
    reason: str
    effective_date: date
    explanation: Mapping[str, Any] | None
    source_type: str | None
    source_id: str | None
    payslip_id: UUID | None
    paid_at: datetime | None
    created_by: str
    created_at: datetime


_SELECT = select(payroll_adjustments, payroll_adjustments.c.effective_on.label("effective_date"))


def page_of_adjustments(scope: Scope, query: AdjustmentQuery) -> RowPage[AdjustmentRow]:
    """Read one page of the adjustments of all employees whom the caller may see, oldest first."""
    select_rows = _SELECT.where(
        payroll_adjustments.c.tenant_id == scope.tenant_id,
        scope.within("adjustments.read", payroll_adjustments.c.user_id),
    )
    if query.user_id is not None:
        people.get_user(scope, query.user_id, "adjustments.read")
        select_rows = select_rows.where(payroll_adjustments.c.user_id == query.user_id)
    if query.kind is not None:
        select_rows = select_rows.where(payroll_adjustments.c.kind == query.kind)
    if query.open is not None:
        paid = payroll_adjustments.c.paid_at
        select_rows = select_rows.where(paid.is_(None) if query.open else paid.is_not(None))
    return page_rows(scope, select_rows, kind=AdjustmentRow, key=payroll_adjustments.c.id, query=query)


def get_adjustment(scope: Scope, adjustment_id: UUID) -> AdjustmentRow:
    """Return one adjustment of the tenant, which is known to exist."""
    return rows.one(
        AdjustmentRow,
        scope.session.execute(
            _SELECT.where(payroll_adjustments.c.tenant_id == scope.tenant_id, payroll_adjustments.c.id == adjustment_id)
        ),
    )
