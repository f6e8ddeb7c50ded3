"""Reads of rosters."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, select

from chalicelib.backing import clock
from chalicelib.entry.paging import RowPage
from chalicelib.features.people.models import roster_days
from chalicelib.features.people.rosters.schemas import MOST_DAYS, Off, RosterQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid

BITS: dict[Off | None, int] = {None: 0, Off.FIRST: 2, Off.SECOND: 1, Off.FULL: 3}
_OFF_BY_BITS = {bits: off for off, bits in BITS.items()}


@dataclass(frozen=True, slots=True)
class RosterDayRow:
    """What one day of an employee is planned to be."""

    date: date
    shift_id: UUID | None
    off: Off | None
    works_holidays: bool


def page_of_roster(scope: Scope, *, user_id: UUID, query: RosterQuery) -> RowPage[RosterDayRow]:
    """Read the planned days of an employee, in order, as one page; days without a roster are left out."""
    month = scope.tenant.month_of(clock.local_day(scope.now, scope.tenant.timezone))
    first = query.from_ or scope.tenant.period(month).start
    last = query.to or max(first, scope.tenant.period(month).end)
    if last < first:
        raise invalid("/to", f"is before from ({first})")
    if (last - first).days >= MOST_DAYS:
        raise invalid("/to", f"is more than {MOST_DAYS} days after from; ask for less at once")
    return RowPage(_read_days(scope, user_id, roster_days.c.day.between(first, last)), None)


def find_roster_days(scope: Scope, *, user_id: UUID, days: Collection[date]) -> list[RosterDayRow]:
    """List those of these days that an employee's roster has, in order."""
    return _read_days(scope, user_id, roster_days.c.day.in_(days))


def _read_days(scope: Scope, user_id: UUID, condition: ColumnElement[bool]) -> list[RosterDayRow]:
    """Read the days of an employee's roster that a condition holds for."""
    days = scope.session.execute(
        select(roster_days.c.day, roster_days.c.shift_id, roster_days.c.off, roster_days.c.works_holidays)
        .where(roster_days.c.tenant_id == scope.tenant_id, roster_days.c.user_id == user_id, condition)
        .order_by(roster_days.c.day)
    )
    return [
        RosterDayRow(day, shift_id, _OFF_BY_BITS[off], works_holidays) for day, shift_id, off, works_holidays in days
    ]
