"""HTTP endpoints of leave types."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.leave.models import LeaveTypeRow
from chalicelib.features.leave.requests import form_handler
from chalicelib.features.leave.types import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)
form_handler.register()  # a form of the type leave_request asks for leave


@endpoint(blueprint, "GET", "/leave-types", may="organisation.read", reply=Page[schemas.LeaveType])
def list_leave_types(scope: Scope, query: PageQuery) -> RowPage[LeaveTypeRow]:
    """List the kinds of leave."""
    return queries.page_of_leave_types(scope, query)


@endpoint(blueprint, "POST", "/leave-types", may="organisation.write", status=201, reply=schemas.LeaveType)
def add_leave_type(scope: Scope, body: schemas.NewLeaveType) -> LeaveTypeRow:
    """Add a kind of leave, paid or a loss of pay."""
    return actions.add_leave_type(scope, new=body)


@endpoint(blueprint, "GET", "/leave-types/{leave_type_id}", may="organisation.read", reply=schemas.LeaveType)
def get_leave_type(scope: Scope, leave_type_id: UUID) -> LeaveTypeRow:
    """Read one kind of leave."""
    return queries.get_leave_type(scope, leave_type_id)


@endpoint(blueprint, "PATCH", "/leave-types/{leave_type_id}", may="organisation.write", reply=schemas.LeaveType)
def change_leave_type(
    scope: Scope, leave_type_id: UUID, body: schemas.LeaveTypePatch, if_match: int | None
) -> LeaveTypeRow:
    """Change a kind of leave; another expiry rule also moves when the days left expire."""
    return actions.change_leave_type(scope, leave_type_id=leave_type_id, patch=body.sent_fields(), if_match=if_match)
