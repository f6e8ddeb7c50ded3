"""When days expire: pure functions over a cycle's end and what a rule says (rules.md, section 8)."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.kernel.errors import Invalid, invalid

MOST_DAYS, MOST_MONTHS = 3660, 120
WIDEST = 366  # days before the last day at which a first warning can be
_LEAP_YEAR = 2000
_REMEDY = 'write "cycle_end + 90 days", "cycle_end + 3 months", or a month and day such as "03-31"'

_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})", re.ASCII)
# what has to come next, one after the other
_WORDS = (
    (re.compile(r"cycle_end\b", re.IGNORECASE), '"cycle_end" or a month and day'),
    (re.compile(r"\+"), '"+"'),
    (re.compile(r"[0-9]{1,5}(?![0-9])", re.ASCII), "a number"),
    (re.compile(r"(day|month)s?\b", re.IGNORECASE), '"days" or "months"'),
    (re.compile(r"$"), "nothing more"),
)


class Action(StrEnum):
    """What becomes of days that nobody used in time."""

    DELETE = "delete"
    CONVERT_TO_CASH = "convert_to_cash"
    TRANSFER_TO_NEXT_CYCLE = "transfer_to_next_cycle"


@dataclass(frozen=True, slots=True)
class ExpiryFormula:
    """What a formula means: so many days or months after a cycle's end, or the next such day of the year."""

    days: int = 0
    months: int = 0
    month_day: tuple[int, int] | None = None

    def after(self, cycle_end: date) -> date:
        """Return the date that the formula means for a cycle.

        A month that is too short for the day ends with its last: 30 November + 3 months is 28 or 29 February, and so is
        the 29 February of every year.
        """
        if self.month_day is None:
            return _months_later(cycle_end, self.months) + timedelta(days=self.days)
        month, day = self.month_day
        found = _day_of(cycle_end.year, month, day)
        return found if found > cycle_end else _day_of(cycle_end.year + 1, month, day)


def expires_on(*, cycle_end: date, expire_after_days: int | None, formula: str | None) -> date:
    """Return the last day on which the days of a cycle may be used; from the day after they are expired.

    A rule that says neither days nor formula means the cycle's end itself. Invalid where the formula is none.
    """
    if formula is not None:
        return parsed(formula).after(cycle_end)
    return cycle_end + timedelta(days=expire_after_days or 0)


def parsed(formula: str, *, pointer: str = "/expiry_date_formula") -> ExpiryFormula:
    """Read a formula, or refuse it with the place of what is wrong and what to write instead."""
    written = formula.strip()
    if written[:1].isdigit():
        return _month_day(written, pointer)
    at, words = 0, []
    for pattern, expected in _WORDS:
        at += len(written[at:]) - len(written[at:].lstrip())
        found = pattern.match(written, at)
        if found is None:
            raise _wrong(pointer, at, f"expected {expected}, found {_shown(written[at:])}")
        words.append((at, found[0].lower()))
        at = found.end()
    (place, number), (_, unit) = words[2], words[3]
    most = MOST_DAYS if unit.startswith("day") else MOST_MONTHS
    if int(number) > most:
        raise _wrong(pointer, place, f"{number} is more than {most} {unit}")
    return ExpiryFormula(days=int(number)) if unit.startswith("day") else ExpiryFormula(months=int(number))


def next_cycle(start: date, end: date) -> tuple[date, date]:
    """Return the cycle that begins the day after another ends and is as long.

    As long means as many months where the cycle is of whole months (a year from 1 January or 15 July, a quarter), else
    as many days.
    """
    following = end + timedelta(days=1)
    months = (following.year - start.year) * 12 + following.month - start.month
    if following.day == start.day:
        return following, _months_later(following, months) - timedelta(days=1)
    return following, following + (end - start)


def formula_of(*, rate: str, days: str, working_days: str | None) -> str:
    """Return how the amount for days came about: 15000.00 x 3.0 / 21; daily pay has no divisor."""
    return f"{rate} x {days}" + (f" / {working_days}" if working_days else "")


def _month_day(written: str, pointer: str) -> ExpiryFormula:
    found = _MONTH_DAY.match(written)
    if found is None:
        raise _wrong(pointer, 0, f"{_shown(written)} is not a month and day of two digits each")
    if found.end() < len(written):
        raise _wrong(pointer, found.end(), f"expected nothing more, found {_shown(written[found.end() :])}")
    month, day = int(found[1]), int(found[2])
    if not 1 <= month <= 12:
        raise _wrong(pointer, 0, f"there is no month {found[1]}")
    if not 1 <= day <= monthrange(_LEAP_YEAR, month)[1]:
        raise _wrong(pointer, 3, f"month {found[1]} has no day {found[2]}")
    return ExpiryFormula(month_day=(month, day))


def _months_later(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return _day_of(count // 12, count % 12 + 1, day.day)


def _day_of(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _shown(rest: str) -> str:
    return f'"{rest[:20]}"' if rest else "the end"


def _wrong(pointer: str, at: int, why: str) -> Invalid:
    return invalid(pointer, f"at character {at + 1}: {why}; {_REMEDY}")
