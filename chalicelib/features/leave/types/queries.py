"""Reads of leave types."""

from uuid import UUID

from sqlalchemy import func, or_, select

from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.leave.models import leave_types
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict


def get_leave_type(scope: Scope, leave_type_id: UUID, *, lock: bool = False) -> Record:
    """Read one leave type of the tenant, or NotFound."""
    return get_row(scope, leave_types, leave_type_id, what="leave type", lock=lock)


def get_active_type(scope: Scope, leave_type_id: UUID) -> Record:
    """Return a leave type in use. Raises NotFound, or Conflict if it is inactive."""
    leave_type = get_leave_type(scope, leave_type_id)
    if not leave_type["is_active"]:
        raise Conflict(f"{leave_type['name']} is no longer in use; make it active again, or choose another leave type.")
    return leave_type


def find_types_by_text(scope: Scope, *, text: str) -> list[Record]:
    """Return the leave types that a text means: an id, or a name in any case."""
    as_text = func.lower(text)
    rows = scope.session.execute(
        select(leave_types)
        .where(
            leave_types.c.tenant_id == scope.tenant_id,
            or_(func.lower(leave_types.c.name) == as_text, func.text(leave_types.c.id) == as_text),
        )
        .order_by(leave_types.c.name)
    ).mappings()
    return [dict(row) for row in rows]


def page_of_leave_types(scope: Scope, query: PageQuery) -> Record:
    """Read one page of leave types, oldest first."""
    rows = select(leave_types).where(leave_types.c.tenant_id == scope.tenant_id)
    return page_of(scope, rows, key=leave_types.c.id, query=query)
