"""HTTP endpoints of attendance."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.features.attendance.records import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/users/{user_id}/checkin", may="attendance.punch", status=201)
def check_in(scope: Scope, user_id: UUID, body: schemas.Punch) -> schemas.AttendanceDay:
    """Check a person in: on the day on which their shift starts, also after midnight."""
    return schemas.AttendanceDay.of(actions.check_in(scope, user_id=user_id, at=body.at))


@endpoint(blueprint, "PATCH", "/users/{user_id}/checkout", may="attendance.punch")
def check_out(scope: Scope, user_id: UUID, body: schemas.Punch) -> schemas.AttendanceDay:
    """Check a person out of the session that is open, and add its minutes to the day's."""
    return schemas.AttendanceDay.of(actions.check_out(scope, user_id=user_id, at=body.at))


@endpoint(blueprint, "GET", "/users/{user_id}/attendance", may="attendance.read")
def list_attendance(scope: Scope, user_id: UUID, query: schemas.MonthQuery) -> schemas.AttendanceMonth:
    """List a person's attendance records of a pay period."""
    period, rows = queries.get_month(scope, user_id, month=query.month)
    return schemas.AttendanceMonth(
        user_id=user_id,
        month=period.month,
        start_date=period.start,
        end_date=period.end,
        items=[schemas.AttendanceDay.of(row) for row in rows],
    )


@endpoint(blueprint, "PUT", "/users/{user_id}/attendance/{date}", may="attendance.write")
def correct_attendance(
    scope: Scope, user_id: UUID, date: schemas.Day, body: schemas.Correction, if_match: int | None
) -> schemas.AttendanceDay:
    """Make a day's record say what the body says; what is left out is no longer said."""
    row = actions.correct(scope, user_id=user_id, day=date, correction=body, if_match=if_match)
    return schemas.AttendanceDay.of(row)


@endpoint(blueprint, "DELETE", "/users/{user_id}/attendance/{date}", may="attendance.write", status=204)
def remove_attendance(
    scope: Scope, user_id: UUID, date: schemas.Day, query: schemas.RemovalQuery, if_match: int | None
) -> None:
    """Take a day's record away, as if nobody had said anything about it."""
    actions.remove(scope, user_id=user_id, day=date, reason=query.reason, if_match=if_match)
