"""Reads of leave types."""

from uuid import UUID

from sqlalchemy import func, or_, select

from chalicelib.backing import rows
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.features.leave.models import LeaveTypeRow, leave_types
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict


def get_leave_type(scope: Scope, leave_type_id: UUID, *, lock: bool = False) -> LeaveTypeRow:
    """Read one leave type of the tenant, or NotFound."""
    return get_row(scope, leave_types, leave_type_id, kind=LeaveTypeRow, what="leave type", lock=lock)


def get_active_type(scope: Scope, leave_type_id: UUID) -> LeaveTypeRow:
    """Return a leave type in use. Raises NotFound, or Conflict if it is inactive."""
    leave_type = get_leave_type(scope, leave_type_id)
    if not leave_type.is_active:
        raise Conflict(f"{leave_type.name} is no longer in use; make it active again, or choose another leave type.")
    return leave_type


def find_types_by_text(scope: Scope, *, text: str) -> list[LeaveTypeRow]:
    """Return the leave types that a text means: an id, or a name in any case."""
    as_text = func.lower(text)
    matches = scope.session.execute(
        select(leave_types)
        .where(
            leave_types.c.tenant_id == scope.tenant_id,
            or_(func.lower(leave_types.c.name) == as_text, func.text(leave_types.c.id) == as_text),
        )
        .order_by(leave_types.c.name)
    )
    return rows.every(LeaveTypeRow, matches)


def page_of_leave_types(scope: Scope, query: PageQuery) -> RowPage[LeaveTypeRow]:
    """Read one page of leave types, oldest first."""
    types = select(leave_types).where(leave_types.c.tenant_id == scope.tenant_id)
    return page_rows(scope, types, kind=LeaveTypeRow, key=leave_types.c.id, query=query)
