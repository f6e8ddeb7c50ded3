"""Pure rules of attendance: to which day and shift punches and clock times belong (rules.md, section 3).

The day of a moment and the moment of a clock time are two directions of one rule, for live punches, corrections and
imports alike: `day_of_punch` gives the day, and `moment_on_day` inverts it (docs/decisions/0027).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql.ranges import Range

from chalicelib.kernel.halves import Half
from chalicelib.kernel.moments import read_moment

CLOCK_TOLERANCE = timedelta(minutes=5)  # how far a device's clock may be ahead of ours
SHIFT_REACH = timedelta(hours=4)  # a punch this long before a shift's start or after its end still belongs to it
SESSION_TIMEOUT = timedelta(hours=24)  # an open session older than this was forgotten
LONGEST_MINUTES = 2880
DAYS_BEFORE, DAYS_AFTER = 3, 3  # the days whose shifts can decide what a clock time of a day means

_DAY = timedelta(days=1)
_SURELY_NEAREST = timedelta(hours=11)  # the same time of another day is 23 hours away, or more
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)

Session = tuple[datetime, datetime]  # from a check-in, included, to its check-out, excluded


@dataclass(frozen=True, slots=True)
class AttendanceRecord:
    """The attendance of an employee and day: a row of the table, whose columns say what each field means."""

    user_id: UUID
    day: date
    present: int
    enough_for_half: bool
    late_minutes: int
    early_out_minutes: int
    check_in_at: datetime | None
    check_out_at: datetime | None
    session_started_at: datetime | None
    sessions: Sequence[Range[datetime]] | None
    worked_minutes: int | None
    stated: str | None
    stated_half: str | None
    source: str
    version: int


class WrongValue(Exception):
    """An invalid value of a row: its column, and why."""

    def __init__(self, column: str | None, detail: str) -> None:
        super().__init__(detail)
        self.column = column
        self.detail = detail


class ShiftDay(NamedTuple):
    """The shift of one local day; no times where there is none that day."""

    day: date
    starts_at: time | None
    ends_at: time | None


@dataclass(frozen=True, slots=True)
class Facts:
    """The stated facts of an employee and day; None: not stated."""

    check_in_at: datetime | None = None
    check_out_at: datetime | None = None
    worked_minutes: int | None = None
    stated: str | None = None
    stated_half: str | None = None


@lru_cache(maxsize=200_000)
def _local(day: date, clock: time, zone: str) -> datetime:
    """Return the moment of a local clock time, as the SQL function local_moment does.

    Of a time that came twice it is the first; one that was skipped is read by the offset before (RFC 5545, 3.3.5).
    """
    return datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=200_000)
def _moments(day: date, clock: time, zone: str) -> tuple[datetime, ...]:
    """Return the moments at which the local clock shows this time of the day: one, or two where clocks went back."""
    first = _local(day, clock, zone)
    second = datetime.combine(day, clock.replace(fold=1), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return (first, second) if second > first else (first,)


def _is_shown(moment: datetime, clock: time, zone: str) -> bool:
    """Tell whether the local clock shows this time at the moment: it does not where clocks skipped it."""
    return moment.astimezone(ZoneInfo(zone)).time() == clock


def span(shift: ShiftDay, zone: str) -> tuple[datetime, datetime] | None:
    """Return the moments at which a day's shift starts and ends; one that ends by its start ends next day."""
    if shift.starts_at is None or shift.ends_at is None:
        return None
    ends_on = shift.day if shift.ends_at > shift.starts_at else shift.day + _DAY
    return _local(shift.day, shift.starts_at, zone), _local(ends_on, shift.ends_at, zone)


def day_of_punch(at: datetime, *, zone: str, shifts: Sequence[ShiftDay]) -> date:
    """Return the day a punch belongs to: the local date of its shift's start.

    Of the shifts within reach of the moment, the one that starts nearest to it wins; out of every shift's reach the
    day is the local date.
    """
    near: list[tuple[timedelta, date]] = []
    for shift in shifts:
        moments = span(shift, zone)
        if moments and moments[0] - SHIFT_REACH <= at <= moments[1] + SHIFT_REACH:
            near.append((abs(at - moments[0]), shift.day))
    return min(near)[1] if near else at.astimezone(ZoneInfo(zone)).date()


def moment_on_day(clock: time, *, day: date, zone: str, shifts: Sequence[ShiftDay]) -> datetime:
    """Return the check-in moment of a record that states a clock time without a date.

    It is the moment whose live punch would be on this day, before or after midnight; of several, or of none, the one
    nearest to the start of the day's shift. `shifts` are those from DAYS_BEFORE to DAYS_AFTER around the day.
    """
    shift = next((shift for shift in shifts if shift.day == day), None)
    moments = span(shift, zone) if shift else None
    start = moments[0] if moments else None
    own = _moments(day, clock, zone)
    is_nearest = start and len(own) == 1 and abs(own[0] - start) < _SURELY_NEAREST and _is_shown(own[0], clock, zone)
    if is_nearest and day_of_punch(own[0], zone=zone, shifts=shifts) == day:
        return own[0]  # fast path of nearly all rows

    def order(moment: datetime) -> tuple[bool, timedelta, datetime]:
        # a time that clocks showed comes before one that they skipped; without a shift, the day's own comes first
        distance = abs(moment - start) if start else abs(moment.astimezone(ZoneInfo(zone)).date() - day)
        return not _is_shown(moment, clock, zone), distance, moment

    candidates = [moment for n in (-1, 0, 1, 2) for moment in _moments(day + n * _DAY, clock, zone)]
    nearest = sorted(candidates, key=order)
    on_the_day = (moment for moment in nearest if day_of_punch(moment, zone=zone, shifts=shifts) == day)
    return next(on_the_day, nearest[0])


def moment_after(clock: time, *, came: datetime, zone: str, end: datetime | None) -> datetime:
    """Return the check-out moment of a record that states a clock time without a date.

    It is the first at or after the check-in, as a session lasts less than a day. Where clocks went back, so that the
    time came twice, it is the one nearer to the end of the shift, if there is one.
    """
    began = came.astimezone(ZoneInfo(zone)).date()
    for day in (began, began + _DAY, began + 2 * _DAY):
        if after := [moment for moment in _moments(day, clock, zone) if moment >= came]:
            return min(after, key=lambda moment: abs(moment - end)) if end else after[0]
    raise AssertionError("every clock time comes within two days")


def record_day(check_in: str | None, *, day: date, zone: str, shifts: Sequence[ShiftDay]) -> date:
    """Return the day that a record of this date is about, which a check-in with a date of its own decides.

    Such a moment is on the day that a live punch of it is on. The record's date may also be the moment's own local
    date, as devices write it. Raises WrongValue where it is neither.
    """
    if check_in is None or _parse_clock(check_in) is not None:
        return day
    moment = _parse_moment("check_in", check_in)
    punched = day_of_punch(moment, zone=zone, shifts=shifts)
    if day not in (punched, moment.astimezone(ZoneInfo(zone)).date()):
        raise WrongValue("check_in", f"is not on {day} in the time zone {zone}, but belongs to {punched}")
    return punched


def list_sessions(row: AttendanceRecord) -> list[Session]:
    """Return the closed sessions of an attendance row; a record as a whole is one, from check-in to check-out."""
    if row.sessions is not None:
        return [(session.lower, session.upper) for session in row.sessions if session.lower and session.upper]
    if row.check_in_at is None or row.check_out_at is None:
        return []
    return [(row.check_in_at, row.check_out_at)]


def find_open_session(rows: Sequence[AttendanceRecord], *, at: datetime) -> AttendanceRecord | None:
    """Return the row whose session is open and began at most 24 hours before a moment, the latest if several.

    An older one was forgotten: it neither blocks a check-in nor can it be closed by a check-out.
    """
    still_open = [
        (row.session_started_at, row.day, row)
        for row in rows
        if row.session_started_at and row.session_started_at > at - SESSION_TIMEOUT
    ]
    return max(still_open)[2] if still_open else None


def find_overlap(rows: Sequence[AttendanceRecord], *, start: datetime, end: datetime) -> Session | None:
    """Return the first closed session that shares time with another one, or holds a moment (start and end), or None."""
    for row in rows:
        for began, ended in list_sessions(row):
            if began <= start < ended or start < began < end:
                return began, ended
    return None


def format_local(moment: datetime, zone: str) -> str:
    """Format a moment as local time of the employee's time zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def read_facts(values: Mapping[str, Any], *, day: date, zone: str, shifts: Sequence[ShiftDay]) -> Facts:
    """Read a day's facts from `check_in`, `check_out`, `worked_minutes`, `status` and `half`, or raise WrongValue.

    Times are `HH:MM` in the employee's zone, or RFC 3339; minutes left out are those between the two. The day is that
    of `record_day`.
    """
    status, half, minutes = values.get("status"), values.get("half"), values.get("worked_minutes")
    came = _parse_check_in(values.get("check_in"), day=day, zone=zone, shifts=shifts)
    left = _parse_check_out(values.get("check_out"), day=day, zone=zone, came=came, shifts=shifts)
    if came is None and minutes is None and status is None:
        raise WrongValue(None, "says nothing: give a check-in, the worked minutes or a status")
    if half is not None and status != "half_day":
        raise WrongValue("half", "only goes with the status half_day")
    if status == "absent" and (came is not None or minutes):
        raise WrongValue("status", "says absent, and yet there is a check-in or worked time")
    if came is not None and left is not None:
        between = (left - came) // timedelta(minutes=1)
        if minutes is not None and minutes > between:
            raise WrongValue("worked_minutes", f"is {minutes}, more than the {between} between check-in and check-out")
        minutes = between if minutes is None else minutes
    if status == "half_day":
        half = half or Half.FIRST
    return Facts(came, left, minutes, status, half)


def _parse_check_in(value: str | None, *, day: date, zone: str, shifts: Sequence[ShiftDay]) -> datetime | None:
    """Return the moment of a check-in."""
    if value is None:
        return None
    clock = _parse_clock(value)
    return (
        _parse_moment("check_in", value) if clock is None else moment_on_day(clock, day=day, zone=zone, shifts=shifts)
    )


def _parse_check_out(
    value: str | None, *, day: date, zone: str, came: datetime | None, shifts: Sequence[ShiftDay]
) -> datetime | None:
    """Return the moment of a check-out."""
    if value is None:
        return None
    if came is None:
        raise WrongValue("check_out", "needs a check-in beside it")
    clock = _parse_clock(value)
    if clock is None:
        moment = _parse_moment("check_out", value)
        if moment < came:
            raise WrongValue("check_out", "is before the check-in")
    else:
        moments = next((span(shift, zone) for shift in shifts if shift.day == day), None)
        moment = moment_after(clock, came=came, zone=zone, end=moments and moments[1])
    if moment - came > timedelta(minutes=LONGEST_MINUTES):
        raise WrongValue("check_out", "is more than 48 hours after the check-in")
    return moment


@lru_cache(maxsize=10_000)
def _parse_clock(text: str) -> time | None:
    match = _CLOCK.fullmatch(text)
    return time(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _parse_moment(column: str, text: str) -> datetime:
    try:
        moment: datetime = read_moment(text)
    except ValueError as wrong:
        detail = "is neither a time like 08:55 nor a moment like 2026-01-05T08:55:00+06:00"
        raise WrongValue(column, str(wrong) if str(wrong).startswith("must be between") else detail) from None
    return moment
