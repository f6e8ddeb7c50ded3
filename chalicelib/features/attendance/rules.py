"""What a punch and a row of attendance mean: pure functions over what people and devices say (rules.md, section 3)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.kernel.halves import Half
from chalicelib.kernel.moments import read_moment

AHEAD = timedelta(minutes=5)  # how far a device's clock may run before ours
SHIFT_REACH = timedelta(hours=4)  # a punch this long before a shift's start or after its end still belongs to it
OPEN_FOR = timedelta(hours=24)  # a session that was not closed by then was forgotten
LONGEST_MINUTES = 2880

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)


class Wrong(Exception):
    """One value of a row that cannot be taken: in which column, and why."""

    def __init__(self, column: str | None, detail: str) -> None:
        super().__init__(detail)
        self.column = column
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ShiftDay:
    """The shift of one local day; no times where there is none that day."""

    day: date
    starts_at: time | None
    ends_at: time | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said about one person and day; None is not said."""

    check_in_at: datetime | None = None
    check_out_at: datetime | None = None
    worked_minutes: int | None = None
    stated: str | None = None
    stated_half: str | None = None


@lru_cache(maxsize=200_000)
def _local(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def span(shift: ShiftDay, zone: str) -> tuple[datetime, datetime] | None:
    """This will give the moments at which a day's shift starts and ends; one that ends by its start ends next day."""
    if shift.starts_at is None or shift.ends_at is None:
        return None
    ends_on = shift.day if shift.ends_at > shift.starts_at else shift.day + timedelta(days=1)
    return _local(shift.day, shift.starts_at, zone), _local(ends_on, shift.ends_at, zone)


def day_of_punch(at: datetime, *, zone: str, shifts: Sequence[ShiftDay]) -> date:
    """This will give the day a punch belongs to: the local date of its shift's start.

    Of the shifts within reach of the moment, the one that starts nearest to it wins; out of every shift's reach the
    day is the local date.
    """
    near: list[tuple[timedelta, date]] = []
    for shift in shifts:
        moments = span(shift, zone)
        if moments and moments[0] - SHIFT_REACH <= at <= moments[1] + SHIFT_REACH:
            near.append((abs(at - moments[0]), shift.day))
    return min(near)[1] if near else at.astimezone(ZoneInfo(zone)).date()


def told(moment: datetime, zone: str) -> str:
    """This will write a moment as the person's own clock shows it."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def read_facts(said: Mapping[str, Any], *, day: date, zone: str, shift: ShiftDay | None = None) -> Facts:
    """This will read a day's facts from `check_in`, `check_out`, `worked_minutes`, `status` and `half`, or say Wrong.

    Times are `HH:MM` in the employee's zone, or RFC 3339; minutes not said are those between the two.
    """
    status, half, minutes = said.get("status"), said.get("half"), said.get("worked_minutes")
    came = _came(said.get("check_in"), day=day, zone=zone, shift=shift)
    left = _left(said.get("check_out"), day=day, zone=zone, came=came)
    if came is None and minutes is None and status is None:
        raise Wrong(None, "says nothing: give a check-in, the worked minutes or a status")
    if half is not None and status != "half_day":
        raise Wrong("half", "only goes with the status half_day")
    if status == "absent" and (came is not None or minutes):
        raise Wrong("status", "says absent, and yet there is a check-in or worked time")
    if came is not None and left is not None:
        between = (left - came) // timedelta(minutes=1)
        if minutes is not None and minutes > between:
            raise Wrong("worked_minutes", f"is {minutes}, more than the {between} between check-in and check-out")
        minutes = between if minutes is None else minutes
    if status == "half_day":
        half = half or Half.FIRST
    return Facts(came, left, minutes, status, half)


def _came(said: str | None, *, day: date, zone: str, shift: ShiftDay | None) -> datetime | None:
    if said is None:
        return None
    clock = _clock(said)
    if clock is None:
        moment = _moment("check_in", said)
        if abs((moment.astimezone(ZoneInfo(zone)).date() - day).days) > 1:
            raise Wrong("check_in", f"is not on {day} in the time zone {zone}")
        return moment
    moment = _local(day, clock, zone)
    moments = span(shift, zone) if shift else None
    if moments and shift and shift.day == day:
        # 00:12 on a shift from 22:00 to 06:00 is twelve minutes past midnight, and not 22 hours early
        after_midnight = _local(day + timedelta(days=1), clock, zone)
        if after_midnight < moments[1] and abs(after_midnight - moments[0]) < abs(moment - moments[0]):
            return after_midnight
    return moment


def _left(said: str | None, *, day: date, zone: str, came: datetime | None) -> datetime | None:
    if said is None:
        return None
    if came is None:
        raise Wrong("check_out", "needs a check-in beside it")
    clock = _clock(said)
    if clock is None:
        moment = _moment("check_out", said)
        if moment < came:
            raise Wrong("check_out", "is before the check-in")
    else:
        began = came.astimezone(ZoneInfo(zone)).date()
        moment = _local(began, clock, zone)
        if moment < came:
            moment = _local(began + timedelta(days=1), clock, zone)
    if moment - came > timedelta(minutes=LONGEST_MINUTES):
        raise Wrong("check_out", "is more than 48 hours after the check-in")
    return moment


@lru_cache(maxsize=10_000)
def _clock(said: str) -> time | None:
    found = _CLOCK.fullmatch(said)
    return time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _moment(column: str, said: str) -> datetime:
    try:
        moment: datetime = read_moment(said)
    except ValueError as wrong:
        detail = "is neither a time like 08:55 nor a moment like 2026-01-05T08:55:00+06:00"
        raise Wrong(column, str(wrong) if str(wrong).startswith("must be between") else detail) from None
    return moment
