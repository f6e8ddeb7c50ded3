"""HTTP endpoints of on-duty and overtime."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.attendance.requests import actions, queries, schemas
from chalicelib.features.attendance.requests.kinds import ON_DUTY, OVERTIME, OnDutyRow, OvertimeRow
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/on-duty", may="requests.read", reply=Page[schemas.OnDuty])
def list_on_duty(scope: Scope, query: schemas.AttendanceRequestQuery) -> RowPage[OnDutyRow]:
    """List on-duty requests: everybody's, your people's or your own, as your role allows."""
    return queries.page_of_requests(scope, ON_DUTY, query)


@endpoint(blueprint, "POST", "/on-duty", may="requests.write", status=201, reply=schemas.OnDuty)
def ask_for_on_duty(scope: Scope, body: schemas.NewOnDuty) -> OnDutyRow:
    """Ask for on-duty: work elsewhere, which counts as presence once it is approved."""
    return actions.request_on_duty(scope, new=body)


@endpoint(blueprint, "PATCH", "/on-duty/{request_id}", may="requests.decide", reply=schemas.OnDuty)
def decide_on_duty(scope: Scope, request_id: UUID, body: schemas.RequestDecision, if_match: int | None) -> OnDutyRow:
    """Approve, reject or cancel an on-duty request; your own can only be cancelled."""
    return actions.decide(scope, ON_DUTY, request_id=request_id, to=body.status, if_match=if_match)


@endpoint(blueprint, "GET", "/overtime", may="requests.read", reply=Page[schemas.Overtime])
def list_overtime(scope: Scope, query: schemas.AttendanceRequestQuery) -> RowPage[OvertimeRow]:
    """List overtime requests: everybody's, your people's or your own, as your role allows."""
    return queries.page_of_requests(scope, OVERTIME, query)


@endpoint(blueprint, "POST", "/overtime", may="requests.write", status=201, reply=schemas.Overtime)
def ask_for_overtime(scope: Scope, body: schemas.NewOvertime) -> OvertimeRow:
    """Ask for hours beyond the shift on one day."""
    return actions.request_overtime(scope, new=body)


@endpoint(blueprint, "PATCH", "/overtime/{request_id}", may="requests.decide", reply=schemas.Overtime)
def decide_overtime(scope: Scope, request_id: UUID, body: schemas.RequestDecision, if_match: int | None) -> OvertimeRow:
    """Approve, reject or cancel an overtime request; your own can only be cancelled."""
    return actions.decide(scope, OVERTIME, request_id=request_id, to=body.status, if_match=if_match)
