"""Expiry dates: pure functions of a cycle's end and an expiry rule (rules.md, section 8)."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.kernel.errors import Invalid, invalid

MAX_DAYS, MAX_MONTHS = 3660, 120
MAX_WARNING_DAYS = 366  # a first warning comes at most this long before the last day
_LEAP_YEAR = 2000
_REMEDY = 'write "cycle_end + 90 days", "cycle_end + 3 months", or a month and day such as "03-31"'

_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})", re.ASCII)
# the tokens of a formula, in order
_WORDS = (
    (re.compile(r"cycle_end\b", re.IGNORECASE), '"cycle_end" or a month and day'),
    (re.compile(r"\+"), '"+"'),
    (re.compile(r"[0-9]{1,5}(?![0-9])", re.ASCII), "a number"),
    (re.compile(r"(day|month)s?\b", re.IGNORECASE), '"days" or "months"'),
    (re.compile(r"$"), "nothing more"),
)


class Action(StrEnum):
    """What is done with days that were not used in time."""

    DELETE = "delete"
    CONVERT_TO_CASH = "convert_to_cash"
    TRANSFER_TO_NEXT_CYCLE = "transfer_to_next_cycle"


@dataclass(frozen=True, slots=True)
class ExpiryFormula:
    """A parsed formula: days or months after a cycle's end, or the next such day of a year."""

    days: int = 0
    months: int = 0
    month_day: tuple[int, int] | None = None

    def after(self, cycle_end: date) -> date:
        """Return the date that the formula means for a cycle.

        A month that is too short for the day ends with its last: 30 November + 3 months is 28 or 29 February, and so is
        the 29 February of every year.
        """
        if self.month_day is None:
            return _add_months(cycle_end, self.months) + timedelta(days=self.days)
        month, day = self.month_day
        this_year = _clip_day(cycle_end.year, month, day)
        return this_year if this_year > cycle_end else _clip_day(cycle_end.year + 1, month, day)


def expires_on(*, cycle_end: date, expire_after_days: int | None, formula: str | None) -> date:
    """Return the last day on which the days of a cycle may be used; from the day after they are expired.

    A rule that says neither days nor formula means the cycle's end itself. Invalid where the formula is none.
    """
    if formula is not None:
        return parse_formula(formula).after(cycle_end)
    return cycle_end + timedelta(days=expire_after_days or 0)


def parse_formula(formula: str, *, pointer: str = "/expiry_date_formula") -> ExpiryFormula:
    """Parse a formula. Raises Invalid, with the position of the error and what to write instead."""
    written = formula.strip()
    if written[:1].isdigit():
        return _parse_month_day(written, pointer)
    at, words = 0, []
    for pattern, expected in _WORDS:
        at += len(written[at:]) - len(written[at:].lstrip())
        match = pattern.match(written, at)
        if match is None:
            raise _invalid(pointer, at, f"expected {expected}, found {_quote(written[at:])}")
        words.append((at, match[0].lower()))
        at = match.end()
    (place, number), (_, unit) = words[2], words[3]
    limit = MAX_DAYS if unit.startswith("day") else MAX_MONTHS
    if int(number) > limit:
        raise _invalid(pointer, place, f"{number} is more than {limit} {unit}")
    return ExpiryFormula(days=int(number)) if unit.startswith("day") else ExpiryFormula(months=int(number))


def next_cycle(start: date, end: date) -> tuple[date, date]:
    """Return the cycle that begins the day after another ends and is as long.

    As long means as many months where the cycle is of whole months (a year from 1 January or 15 July, a quarter), else
    as many days.
    """
    following = end + timedelta(days=1)
    months = (following.year - start.year) * 12 + following.month - start.month
    if following.day == start.day:
        return following, _add_months(following, months) - timedelta(days=1)
    return following, following + (end - start)


def describe_formula(*, rate: str, days: str, working_days: str | None) -> str:
    """Describe how the amount for days is computed: 15000.00 x 3.0 / 21; daily pay has no divisor."""
    return f"{rate} x {days}" + (f" / {working_days}" if working_days else "")


def _parse_month_day(written: str, pointer: str) -> ExpiryFormula:
    match = _MONTH_DAY.match(written)
    if match is None:
        raise _invalid(pointer, 0, f"{_quote(written)} is not a month and day of two digits each")
    if match.end() < len(written):
        raise _invalid(pointer, match.end(), f"expected nothing more, found {_quote(written[match.end() :])}")
    month, day = int(match[1]), int(match[2])
    if not 1 <= month <= 12:
        raise _invalid(pointer, 0, f"there is no month {match[1]}")
    if not 1 <= day <= monthrange(_LEAP_YEAR, month)[1]:
        raise _invalid(pointer, 3, f"month {match[1]} has no day {match[2]}")
    return ExpiryFormula(month_day=(month, day))


def _add_months(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return _clip_day(count // 12, count % 12 + 1, day.day)


def _clip_day(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _quote(rest: str) -> str:
    return f'"{rest[:20]}"' if rest else "the end"


def _invalid(pointer: str, at: int, why: str) -> Invalid:
    return invalid(pointer, f"at character {at + 1}: {why}; {_REMEDY}")
