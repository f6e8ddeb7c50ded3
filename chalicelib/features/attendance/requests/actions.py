"""On-duty and overtime requests and their decisions. A request never changes, only its status does."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.attendance.models import on_duty, overtime
from chalicelib.features.attendance.records import queries as attendance
from chalicelib.features.attendance.requests import queries
from chalicelib.features.attendance.requests.kinds import ON_DUTY, OVERTIME, OnDutyRow, OvertimeRow, R, RequestKind
from chalicelib.features.attendance.requests.schemas import NewOnDuty, NewOvertime
from chalicelib.features.people.users import queries as people
from chalicelib.features.periods import facts
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import AlreadyDecided, Conflict, Place, invalid
from chalicelib.kernel.states import REQUEST_MOVES, RequestStatus, check_move

MOST_DAYS = 31
DAY_HOURS = Decimal(24)
_STANDING = (RequestStatus.PENDING, RequestStatus.APPROVED)


def request_on_duty(scope: Scope, *, new: NewOnDuty) -> OnDutyRow:
    """Add a pending on-duty request. Raises Conflict where a half of a day is requested already."""
    if new.end_date < new.start_date:
        raise invalid("/end_date", "is before start_date")
    if new.end_date - new.start_date >= timedelta(days=MOST_DAYS):
        raise invalid("/end_date", f"makes more than {MOST_DAYS} days; send it as several requests")
    user_id = _lock_employee(scope, new.user_id, first=new.start_date, last=new.end_date, pointer="/start_date")
    other = scope.session.execute(
        select(on_duty.c.start_on, on_duty.c.end_on, on_duty.c.status)
        .where(
            on_duty.c.tenant_id == scope.tenant_id,
            on_duty.c.user_id == user_id,
            on_duty.c.status.in_(_STANDING),
            on_duty.c.start_on <= new.end_date,
            on_duty.c.end_on >= new.start_date,
            # a request for whole days takes both halves
            *([on_duty.c.half.is_(None) | (on_duty.c.half == new.half)] if new.half else []),
        )
        .order_by(on_duty.c.start_on)
        .limit(1)
    ).first()
    if other:
        raise Conflict(
            f"These days overlap with the {other.status} on-duty from {other.start_on} to {other.end_on}.",
            [Place("/start_date", "overlaps with another on-duty")],
        )
    return _add_request(
        scope, ON_DUTY, user_id=user_id, reason=new.reason, start_on=new.start_date, end_on=new.end_date, half=new.half
    )


def request_overtime(scope: Scope, *, new: NewOvertime) -> OvertimeRow:
    """Add a pending overtime request. Raises Conflict where a day would have over 24 hours."""
    user_id = _lock_employee(scope, new.user_id, first=new.date, last=new.date, pointer="/date")
    standing: Decimal = scope.session.execute(
        select(func.coalesce(func.sum(overtime.c.hours), 0)).where(
            overtime.c.tenant_id == scope.tenant_id,
            overtime.c.user_id == user_id,
            overtime.c.status.in_(_STANDING),
            overtime.c.day == new.date,
        )
    ).scalar_one()
    if standing + new.hours > DAY_HOURS:
        raise Conflict(
            f"{standing} hours of overtime stand for {new.date} already; with {new.hours} more the day has over 24.",
            [Place("/hours", "makes more than 24 hours in a day")],
        )
    return _add_request(scope, OVERTIME, user_id=user_id, reason=new.reason, day=new.date, hours=new.hours)


def decide(scope: Scope, kind: RequestKind[R], *, request_id: UUID, to: RequestStatus, if_match: int | None) -> R:
    """Approve, reject or cancel a request. One's own can only be cancelled; of two concurrent decisions one wins.

    An approval, or its cancellation, is in register and balance when the reply is sent, if the period has begun.
    """
    before = queries.get_request(scope, kind, request_id, "requests.decide")
    if to is not RequestStatus.CANCELLED:
        four_eyes.check_not_own(scope, four_eyes.Subject.REQUEST, before.user_id)
    check_version(before, if_match)
    now = RequestStatus(before.status)
    check_move(REQUEST_MOVES, now=now, to=to, what=kind.label)
    if RequestStatus.APPROVED not in (now, to):  # only approved ones are facts
        return _write_decision(scope, kind, before, to=to)
    with facts.changing(scope, changes=[(before.user_id, day) for day in before.days], what=kind.name):
        return _write_decision(scope, kind, before, to=to)


def _write_decision(scope: Scope, kind: RequestKind[R], before: R, *, to: RequestStatus) -> R:
    """Write a decision. Raises AlreadyDecided if another was made since the request was read."""
    now, request_id = before.status, before.id
    row = rows.first(
        kind.row,
        scope.session.execute(
            update(kind.table)
            .where(kind.table.c.tenant_id == scope.tenant_id, kind.table.c.id == request_id, kind.table.c.status == now)
            .values(status=to, decided_by=scope.actor.user_id, decided_at=scope.now, version=kind.table.c.version + 1)
            .returning(*kind.columns)
        ),
    )
    if row is None:
        raise AlreadyDecided(f"Somebody else has just decided this {kind.label}; read it again.")
    audit.record(
        scope,
        action=f"{kind.name}.{to}",
        entity_type=kind.name,
        entity_id=request_id,
        before={"status": now},
        after={"status": to},
    )
    return row


def _lock_employee(scope: Scope, user_id: UUID | None, *, first: date, last: date, pointer: str) -> UUID:
    """Resolve and lock the employee of a request, and check that the days are in the employment."""
    user_id = user_id or scope.actor.user_id
    if user_id is None:
        raise invalid("/user_id", "say for whom; your key does not act for a person")
    people.get_user(scope, user_id, "requests.write", lock=True)  # concurrent requests for the employee wait
    workday = attendance.get_workday(scope, user_id, day=first)
    attendance.check_days(workday, first=first, last=last, pointer=pointer)
    return user_id


def _add_request(scope: Scope, kind: RequestKind[R], *, user_id: UUID, reason: str | None, **values: Any) -> R:
    row = rows.one(
        kind.row,
        scope.session.execute(
            insert(kind.table)
            .values(tenant_id=scope.tenant_id, user_id=user_id, reason=reason, **values)
            .returning(*kind.columns)
        ),
    )
    audit.record(
        scope,
        action=f"{kind.name}.asked",
        entity_type=kind.name,
        entity_id=row.id,
        after={"user_id": user_id, "reason": reason, **values},
    )
    return row
