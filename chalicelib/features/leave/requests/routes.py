"""HTTP endpoints of leave requests."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.leave.models import LeaveRequestRow
from chalicelib.features.leave.requests import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/leave-requests", may="leave.read", reply=Page[schemas.LeaveRequest])
def list_leave_requests(scope: Scope, query: schemas.LeaveRequestQuery) -> RowPage[LeaveRequestRow]:
    """List leave requests: everybody's, your people's or your own, as your role allows."""
    return queries.page_of_requests(scope, query)


@endpoint(blueprint, "POST", "/leave-requests", may="leave.write", status=201, reply=schemas.LeaveRequest)
def ask_for_leave(scope: Scope, body: schemas.NewRequest) -> LeaveRequestRow:
    """Ask for leave; its working days are held until somebody decides."""
    return actions.request_leave(scope, new=body)


@endpoint(blueprint, "GET", "/leave-requests/{request_id}", may="leave.read", reply=schemas.LeaveRequest)
def get_leave_request(scope: Scope, request_id: UUID) -> LeaveRequestRow:
    """Read one leave request."""
    return queries.get_request(scope, request_id, "leave.read")


@endpoint(blueprint, "PATCH", "/leave-requests/{request_id}", may="leave.decide", reply=schemas.DecidedRequest)
def change_leave_request(
    scope: Scope, request_id: UUID, body: schemas.RequestPatch, if_match: int | None
) -> actions.DecidedRequestRow:
    """Approve, reject or cancel leave, or shorten what was approved; your own can only be taken back."""
    patch = body.sent_fields()
    if "status" not in patch:
        return actions.shorten(scope, request_id=request_id, patch=patch, if_match=if_match)
    return actions.decide(scope, request_id=request_id, to=body.status, notes=body.notes, if_match=if_match)
