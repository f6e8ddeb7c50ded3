"""Reads of attendance."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text

from chalicelib.backing import clock, rows
from chalicelib.backing.database import statement
from chalicelib.features.attendance.models import attendance
from chalicelib.features.attendance.records.rules import (
    DAYS_AFTER,
    DAYS_BEFORE,
    SESSION_TIMEOUT,
    AttendanceRecord,
    ShiftDay,
)
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound, invalid
from chalicelib.kernel.period import Period

_SHIFTS_AROUND = text(statement(__file__, "shifts_around"))


@dataclass(frozen=True, slots=True)
class Workday:
    """An employee's time zone, employment and shifts around a moment; both dates are None without an employment."""

    zone: str
    joined_on: date | None
    left_on: date | None
    shifts: tuple[ShiftDay, ...]

    def employs(self, day: date) -> bool:
        """Return whether a day lies in the employment; any day does where there is none."""
        return (self.joined_on is None or self.joined_on <= day) and (self.left_on is None or day <= self.left_on)

    def employment(self) -> str:
        """Describe the employment: employed from ... to ..."""
        return f"employed from {self.joined_on}" + (f" to {self.left_on}" if self.left_on else "")


def get_workday(scope: Scope, user_id: UUID, *, around: datetime | None = None, day: date | None = None) -> Workday:
    """Load what decides to which day a moment or clock time of an employee belongs. Raises NotFound."""
    shifts_around = scope.session.execute(
        _SHIFTS_AROUND,
        {
            "tenant_id": scope.tenant_id,
            "user_id": user_id,
            "timezone": scope.tenant.timezone,
            "at": around,
            "day": day,
            "before": DAYS_BEFORE,
            "after": DAYS_AFTER,
        },
    ).all()
    if not shifts_around:
        raise NotFound("There is no such person.")
    employee = shifts_around[0]
    shifts = tuple(ShiftDay(row.day, row.starts_at, row.ends_at) for row in shifts_around)
    return Workday(employee.zone, employee.joined_on, employee.left_on, shifts)


def check_days(workday: Workday, *, first: date, last: date, pointer: str) -> None:
    """Raise Invalid for days outside the employment."""
    for day in (first, last):
        if not workday.employs(day):
            raise invalid(pointer, f"{day} is outside the employment: {workday.employment()}")


def find_day(scope: Scope, user_id: UUID, day: date, *, lock: bool = False) -> AttendanceRecord | None:
    """Return the record of an employee's day, or None; `lock` locks its row until the commit."""
    days = select(attendance).where(
        attendance.c.tenant_id == scope.tenant_id, attendance.c.user_id == user_id, attendance.c.day == day
    )
    return rows.first(AttendanceRecord, scope.session.execute(days.with_for_update() if lock else days))


def get_day(scope: Scope, user_id: UUID, day: date, *, lock: bool = False) -> AttendanceRecord:
    """Return the record of an employee's day. Raises NotFound."""
    if (row := find_day(scope, user_id, day, lock=lock)) is None:
        raise NotFound(f"There is no attendance record of {day}.")
    return row


def find_recent_days(scope: Scope, user_id: UUID, *, at: datetime) -> list[AttendanceRecord]:
    """Return the days whose sessions may be open at a moment or include it, and all later ones."""
    days = scope.session.execute(
        select(attendance)
        .where(
            attendance.c.tenant_id == scope.tenant_id,
            attendance.c.user_id == user_id,
            # a record's day is at most one day away from its own date in UTC, and it may last two days
            attendance.c.day >= (at - 3 * SESSION_TIMEOUT).date(),
        )
        .order_by(attendance.c.day)
    )
    return rows.every(AttendanceRecord, days)


def get_month(scope: Scope, user_id: UUID, *, month: str | None) -> tuple[Period, list[AttendanceRecord]]:
    """Return an employee's days of a pay period (today's if None). Raises NotFound for others' employees."""
    people.get_user(scope, user_id, "attendance.read")
    today = clock.local_day(scope.now, scope.tenant.timezone)
    period = scope.tenant.period(month or scope.tenant.month_of(today))
    days = scope.session.execute(
        select(attendance)
        .where(
            attendance.c.tenant_id == scope.tenant_id,
            attendance.c.user_id == user_id,
            attendance.c.day.between(period.start, period.end),
        )
        .order_by(attendance.c.day)
    )
    return period, rows.every(AttendanceRecord, days)
