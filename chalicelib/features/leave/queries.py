"""Reads of leave."""

from uuid import UUID

from sqlalchemy import select

from chalicelib.backing.database import Record
from chalicelib.entry.gate import get_row
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.leave.models import leave_types
from chalicelib.identity.scope import Scope


def get_leave_type(scope: Scope, leave_type_id: UUID) -> Record:
    """This will read one leave type of the tenant, or NotFound."""
    return get_row(scope, leave_types, leave_type_id, what="leave type")


def page_of_leave_types(scope: Scope, query: PageQuery) -> Record:
    """This will read one page of leave types, oldest first."""
    rows = select(leave_types).where(leave_types.c.tenant_id == scope.tenant_id)
    return page_of(scope, rows, key=leave_types.c.id, query=query)
