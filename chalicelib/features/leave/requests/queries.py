"""Reads of leave requests, and of the days they are checked against."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text, tuple_

from chalicelib.backing import rows
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.leave.models import LeaveRequestRow, leave_days, leave_requests
from chalicelib.features.leave.requests.schemas import LeaveRequestQuery
from chalicelib.features.leave.rules import HalfOfDay, LeaveSpan
from chalicelib.features.leave.types import queries as type_queries
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.halves import Half
from chalicelib.kernel.states import RequestStatus

_RENAMED = {"start_on": "start_date", "end_on": "end_date"}
COLUMNS = [column.label(_RENAMED.get(column.name, column.name)) for column in leave_requests.c]
_STANDING = (RequestStatus.PENDING, RequestStatus.APPROVED)


@dataclass(frozen=True, slots=True)
class OverlappingRequest:
    """A request that overlaps with a span, with its leave type's name."""

    start_date: date
    end_date: date
    start_half: str
    end_half: str
    status: str
    name: str


def get_request(scope: Scope, request_id: UUID, permission: str) -> LeaveRequestRow:
    """Return a request of an employee within the permission's reach. Raises NotFound."""
    requests = scope.session.execute(
        select(*COLUMNS).where(
            leave_requests.c.tenant_id == scope.tenant_id,
            leave_requests.c.id == request_id,
            scope.within(permission, leave_requests.c.user_id),
        )
    )
    if (row := rows.first(LeaveRequestRow, requests)) is None:
        raise NotFound("There is no such leave request.")
    return row


def find_by_submission(scope: Scope, submission_id: UUID) -> LeaveRequestRow | None:
    """Return the latest request that a form submission made, or None."""
    requests = scope.session.execute(
        select(*COLUMNS)
        .where(leave_requests.c.tenant_id == scope.tenant_id, leave_requests.c.submission_id == submission_id)
        .order_by(leave_requests.c.id.desc())
        .limit(1)
    )
    return rows.first(LeaveRequestRow, requests)


def page_of_requests(scope: Scope, query: LeaveRequestQuery) -> RowPage[LeaveRequestRow]:
    """Read one page of the requests of everybody whom the caller may see, oldest first."""
    table = leave_requests
    requests = select(*COLUMNS).where(table.c.tenant_id == scope.tenant_id, scope.within("leave.read", table.c.user_id))
    if query.user_id:
        people.get_user(scope, query.user_id, "leave.read")
        requests = requests.where(table.c.user_id == query.user_id)
    if query.leave_type_id:
        type_queries.get_leave_type(scope, query.leave_type_id)
        requests = requests.where(table.c.leave_type_id == query.leave_type_id)
    if query.status:
        requests = requests.where(table.c.status == query.status)
    if query.month:
        period = scope.tenant.period(query.month)
        requests = requests.where(table.c.start_on <= period.end, table.c.end_on >= period.start)
    return page_rows(scope, requests, kind=LeaveRequestRow, key=table.c.id, query=query)


def span_of(request: LeaveRequestRow | OverlappingRequest) -> LeaveSpan:
    """Return the days of a request."""
    return LeaveSpan(request.start_date, Half(request.start_half), request.end_date, Half(request.end_half))


def find_overlap(scope: Scope, *, user_id: UUID, span: LeaveSpan) -> OverlappingRequest | None:
    """Return the first pending or approved request that overlaps with a span, with its leave type's name, or None."""
    requests = scope.session.execute(
        text("""
            select r.start_on as start_date, r.end_on as end_date, r.start_half, r.end_half, r.status, t.name
            from leave_requests r
            join leave_types t on t.tenant_id = r.tenant_id and t.id = r.leave_type_id
            where r.tenant_id = :tenant_id and r.user_id = :user_id and r.status = any(:standing)
              and (r.start_on, r.start_half) <= (:end_on, :end_half)
              and (r.end_on, r.end_half) >= (:start_on, :start_half)
            order by r.start_on, r.start_half limit 1"""),
        {
            "tenant_id": scope.tenant_id,
            "user_id": user_id,
            "standing": list(_STANDING),
            "start_on": span.start_on,
            "start_half": span.start_half,
            "end_on": span.end_on,
            "end_half": span.end_half,
        },
    )
    return rows.first(OverlappingRequest, requests)


def find_recorded(scope: Scope, *, user_id: UUID, span: LeaveSpan) -> date | None:
    """Return the first day of a span on which leave is recorded already, or None."""
    halves = tuple_(leave_days.c.day, leave_days.c.half)
    return scope.session.execute(
        select(leave_days.c.day)
        .where(
            leave_days.c.tenant_id == scope.tenant_id,
            leave_days.c.user_id == user_id,
            halves >= (span.start_on, span.start_half),
            halves <= (span.end_on, span.end_half),
        )
        .order_by(leave_days.c.day)
        .limit(1)
    ).scalar()


def load_countable_halves(scope: Scope, *, user_id: UUID, span: LeaveSpan, counts_all: bool) -> dict[date, int]:
    """Load the halves of each day that leave would use up, as bits: those in which the register would show it.

    They are the working time of the employee's calendar, or with `counts_all` every half of the employment, and never a
    half that was edited by hand.
    """
    days = scope.session.execute(
        text("""
            select day, case when :counts_all then any_day else working end as halves
            from open_to_leave(:tenant_id, :user_id, :first, :last)"""),
        {
            "tenant_id": scope.tenant_id,
            "user_id": user_id,
            "first": span.start_on,
            "last": span.end_on,
            "counts_all": counts_all,
        },
    )
    return {row.day: row.halves for row in days}


def load_counted_halves(scope: Scope, request_id: UUID) -> list[HalfOfDay]:
    """Load the halves for which an approved request uses days, in order."""
    halves = scope.session.execute(
        select(leave_days.c.day, leave_days.c.half)
        .where(
            leave_days.c.tenant_id == scope.tenant_id, leave_days.c.request_id == request_id, leave_days.c.is_counted
        )
        .order_by(leave_days.c.day, leave_days.c.half)
    )
    return [(row.day, Half(row.half)) for row in halves]
