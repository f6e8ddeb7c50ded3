"""Reads of the units that people belong to: branches, departments, divisions."""

from uuid import UUID

from sqlalchemy import Table, select

from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.people.models import employments
from chalicelib.identity.scope import Scope

NOUN = {"branches": "branch", "departments": "department", "divisions": "division", "shifts": "shift"}


def get_unit(scope: Scope, table: Table, unit_id: UUID, *, lock: bool = False) -> Record:
    """Read a unit (a row of branches, departments, divisions or shifts) of the tenant, or NotFound."""
    return get_row(scope, table, unit_id, what=NOUN[table.name], lock=lock)


def page_of_units(scope: Scope, table: Table, query: PageQuery) -> Record:
    """Read one page of units, oldest first."""
    rows = select(table).where(table.c.tenant_id == scope.tenant_id)
    return page_of(scope, rows, key=table.c.id, query=query)


def users_of_branch(scope: Scope, branch_id: UUID) -> list[UUID]:
    """Return the people who work by a branch's calendar."""
    found = scope.session.execute(
        select(employments.c.user_id).where(
            employments.c.tenant_id == scope.tenant_id, employments.c.branch_id == branch_id
        )
    )
    return list(found.scalars())
