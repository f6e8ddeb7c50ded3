"""Reads of attendance."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text

from chalicelib.backing import clock
from chalicelib.backing.database import Record, statement
from chalicelib.features.attendance.models import attendance
from chalicelib.features.attendance.records.rules import DAYS_AFTER, DAYS_BEFORE, OPEN_FOR, ShiftDay
from chalicelib.features.people.users import queries as people
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
        """Return whether a day lies in the employment; without one there is nothing to lie outside of."""
        return (self.joined_on is None or self.joined_on <= day) and (self.left_on is None or day <= self.left_on)

    def employment(self) -> str:
        """Return from when until when the person is employed."""
        return f"employed from {self.joined_on}" + (f" to {self.left_on}" if self.left_on else "")


def get_workday(scope: Scope, user_id: UUID, *, around: datetime | None = None, day: date | None = None) -> Workday:
    """Read what is needed to place a moment, or a clock time of a day, of a person's, or NotFound."""
    rows = scope.session.execute(
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
    if not rows:
        raise NotFound("There is no such person.")
    shifts = tuple(ShiftDay(row.day, row.starts_at, row.ends_at) for row in rows)
    return Workday(rows[0].zone, rows[0].joined_on, rows[0].left_on, shifts)


def check_days(workday: Workday, *, first: date, last: date, pointer: str) -> None:
    """Refuse days outside the employment."""
    for day in (first, last):
        if not workday.employs(day):
            raise invalid(pointer, f"{day} is outside the employment: {workday.employment()}")


def find_day(scope: Scope, user_id: UUID, day: date, *, lock: bool = False) -> Record | None:
    """Read one person's day, or None; `lock` keeps others from changing it until the commit."""
    row = select(attendance).where(
        attendance.c.tenant_id == scope.tenant_id, attendance.c.user_id == user_id, attendance.c.day == day
    )
    found = scope.session.execute(row.with_for_update() if lock else row).mappings().first()
    return dict(found) if found else None


def get_day(scope: Scope, user_id: UUID, day: date, *, lock: bool = False) -> Record:
    """Read one person's day, or NotFound."""
    if (found := find_day(scope, user_id, day, lock=lock)) is None:
        raise NotFound(f"There is no attendance record of {day}.")
    return found


def find_recent_days(scope: Scope, user_id: UUID, *, at: datetime) -> list[Record]:
    """Return the person's days whose sessions can be open at a moment or hold it, and all later ones."""
    rows = scope.session.execute(
        select(attendance)
        .where(
            attendance.c.tenant_id == scope.tenant_id,
            attendance.c.user_id == user_id,
            # a record's day is at most one day away from its own date in UTC, and it may last two days
            attendance.c.day >= (at - 3 * OPEN_FOR).date(),
        )
        .order_by(attendance.c.day)
    ).mappings()
    return [dict(row) for row in rows]


def get_month(scope: Scope, user_id: UUID, *, month: str | None) -> tuple[Period, list[Record]]:
    """Read a person's days of a pay period (the present one, if None), or NotFound for who is not yours."""
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
