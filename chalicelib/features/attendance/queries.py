"""Reads of attendance."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text

from chalicelib.backing import clock
from chalicelib.backing.database import Record, statement
from chalicelib.features.attendance.models import attendance
from chalicelib.features.attendance.rules import OPEN_FOR, ShiftDay
from chalicelib.features.people import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound, invalid
from chalicelib.kernel.period import Period

_SHIFTS_AROUND = text(statement(__file__, "shifts_around"))


@dataclass(frozen=True, slots=True)
class Workday:
    """A person's zone, employment and shifts around a moment; both dates null where they have no employment."""

    zone: str
    joined_on: date | None
    left_on: date | None
    shifts: tuple[ShiftDay, ...]

    def employs(self, day: date) -> bool:
        """This will tell whether a day lies in the employment; without one there is nothing to lie outside of."""
        return (self.joined_on is None or self.joined_on <= day) and (self.left_on is None or day <= self.left_on)

    def employment(self) -> str:
        """This will say from when until when the person is employed."""
        return f"employed from {self.joined_on}" + (f" to {self.left_on}" if self.left_on else "")

    def shift_on(self, day: date) -> ShiftDay | None:
        """This will give the shift of a day, if it is one of those around the moment."""
        return next((shift for shift in self.shifts if shift.day == day), None)


def get_workday(scope: Scope, user_id: UUID, *, around: datetime) -> Workday:
    """This will read what is needed to place a moment of a person's on a day, or NotFound."""
    rows = scope.session.execute(
        _SHIFTS_AROUND,
        {"tenant_id": scope.tenant_id, "user_id": user_id, "timezone": scope.tenant.timezone, "at": around},
    ).all()
    if not rows:
        raise NotFound("There is no such person.")
    shifts = tuple(ShiftDay(row.day, row.starts_at, row.ends_at) for row in rows)
    return Workday(rows[0].zone, rows[0].joined_on, rows[0].left_on, shifts)


def check_days(workday: Workday, *, first: date, last: date, pointer: str) -> None:
    """This will refuse days outside the employment."""
    for day in (first, last):
        if not workday.employs(day):
            raise invalid(pointer, f"{day} is outside the employment: {workday.employment()}")


def find_day(scope: Scope, user_id: UUID, day: date, *, lock: bool = False) -> Record | None:
    """This will read one person's day, or None; `lock` keeps others from changing it until the commit."""
    row = select(attendance).where(
        attendance.c.tenant_id == scope.tenant_id, attendance.c.user_id == user_id, attendance.c.day == day
    )
    found = scope.session.execute(row.with_for_update() if lock else row).mappings().first()
    return dict(found) if found else None


def get_day(scope: Scope, user_id: UUID, day: date, *, lock: bool = False) -> Record:
    """This will read one person's day, or NotFound."""
    if (found := find_day(scope, user_id, day, lock=lock)) is None:
        raise NotFound(f"There is no attendance record of {day}.")
    return found


def find_open_session(scope: Scope, user_id: UUID, *, at: datetime) -> Record | None:
    """This will read the day whose session is open and began at most 24 hours before a moment, the latest if several.

    An older one was forgotten: it neither keeps anybody from checking in nor can it be closed by a check-out.
    """
    found = scope.session.execute(
        select(attendance)
        .where(
            attendance.c.tenant_id == scope.tenant_id,
            attendance.c.user_id == user_id,
            # a session's day is at most one day away from its own date in UTC, on either side
            attendance.c.day >= (at - 2 * OPEN_FOR).date(),
            attendance.c.session_started_at > at - OPEN_FOR,
        )
        .order_by(attendance.c.session_started_at.desc())
        .limit(1)
    ).mappings().first()  # fmt: skip
    return dict(found) if found else None


def get_month(scope: Scope, user_id: UUID, *, month: str | None) -> tuple[Period, list[Record]]:
    """This will read a person's days of a pay period (the present one, if None), or NotFound for who is not yours."""
    people.get_user(scope, user_id, "attendance.read")
    today = clock.local_day(scope.now, scope.tenant.timezone)
    period = scope.tenant.period(month or scope.tenant.month_of(today))
    rows = scope.session.execute(
        select(attendance)
        .where(
            attendance.c.tenant_id == scope.tenant_id,
            attendance.c.user_id == user_id,
            attendance.c.day.between(period.start, period.end),
        )
        .order_by(attendance.c.day)
    ).mappings()
    return period, [dict(row) for row in rows]
