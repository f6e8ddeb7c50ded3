"""Reads of the units that employees belong to: branches, departments, divisions; and of shifts."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Table, select

from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.features.people.models import employments
from chalicelib.identity.scope import Scope


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A department or division, and what every unit has."""

    id: UUID
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class BranchRow(UnitRow):
    """A branch; None: as the tenant has it."""

    timezone: str | None
    weekend: list[int] | None
    own_holidays: bool


@dataclass(frozen=True, slots=True)
class ShiftRow(UnitRow):
    """A shift; one that ends before it starts ends on the next day."""

    starts_at: time
    ends_at: time
    payable_units: Decimal
    late_grace_minutes: int
    early_grace_minutes: int
    full_day_minutes: int | None
    half_day_minutes: int | None
    unpaid_break_minutes: int


NOUN = {"branches": "branch", "departments": "department", "divisions": "division", "shifts": "shift"}
ROW: dict[str, type[UnitRow]] = {
    "branches": BranchRow,
    "departments": UnitRow,
    "divisions": UnitRow,
    "shifts": ShiftRow,
}


def get_unit(scope: Scope, table: Table, unit_id: UUID, *, lock: bool = False) -> UnitRow:
    """Return a unit (a row of branches, departments, divisions or shifts) of the tenant, or raise NotFound."""
    return get_row(scope, table, unit_id, kind=ROW[table.name], what=NOUN[table.name], lock=lock)


def page_of_units(scope: Scope, table: Table, query: PageQuery) -> RowPage[UnitRow]:
    """Read one page of units, oldest first."""
    select_units = select(table).where(table.c.tenant_id == scope.tenant_id)
    return page_rows(scope, select_units, kind=ROW[table.name], key=table.c.id, query=query)


def list_users_of_branch(scope: Scope, branch_id: UUID) -> list[UUID]:
    """List the employees who work by a branch's calendar."""
    user_ids = scope.session.execute(
        select(employments.c.user_id).where(
            employments.c.tenant_id == scope.tenant_id, employments.c.branch_id == branch_id
        )
    )
    return list(user_ids.scalars())
