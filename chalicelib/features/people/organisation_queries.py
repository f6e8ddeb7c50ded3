"""Reads of the units that people belong to: branches, departments, divisions."""

from uuid import UUID

from sqlalchemy import Table, select

from chalicelib.backing.database import Record
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

NOUN = {"branches": "branch", "departments": "department", "divisions": "division", "shifts": "shift"}


def get_unit(scope: Scope, table: Table, unit_id: UUID, *, lock: bool = False) -> Record:
    """This will read a unit (a row of branches, departments, divisions or shifts) of the tenant, or NotFound."""
    rows = select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id == unit_id)
    found = scope.session.execute(rows.with_for_update(key_share=True) if lock else rows).mappings()
    if (row := found.first()) is None:
        raise NotFound(f"There is no such {NOUN[table.name]}.")
    return dict(row)


def page_of_units(scope: Scope, table: Table, query: PageQuery) -> Record:
    """This will read one page of units, oldest first."""
    rows = select(table).where(table.c.tenant_id == scope.tenant_id)
    return page_of(scope, rows, key=table.c.id, query=query)
