"""Pay periods: each has the name of a month and covers a range of days (rules.md, section 2)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

MONTH_PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
FIRST_YEAR, LAST_YEAR = 2000, 2100


def _check_year(month: str) -> str:
    if not FIRST_YEAR <= int(month[:4]) <= LAST_YEAR:
        raise ValueError(f"must be between {FIRST_YEAR}-01 and {LAST_YEAR}-12")
    return month


Month = Annotated[
    str,
    Field(pattern=MONTH_PATTERN, min_length=7, max_length=7, description="YYYY-MM", examples=["2026-01"]),
    AfterValidator(_check_year),
]


@dataclass(frozen=True, slots=True)
class Period:
    """One pay period, first and last day included; never more than 31 days."""

    month: str
    start: date
    end: date

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=n) for n in range(self.length)]

    @property
    def length(self) -> int:
        return (self.end - self.start).days + 1


def _first_day(month: str, months: int = 0) -> date:
    year, number = int(month[:4]), int(month[5:]) - 1 + months
    return date(year + number // 12, number % 12 + 1, 1)


def period_of(month: str, *, cycle_start_day: int) -> Period:
    """Return a period by its name: the calendar month, or from day d of the month before to day d-1."""
    first, following = _first_day(month), _first_day(month, 1)
    if cycle_start_day == 1:
        return Period(month, first, following - timedelta(days=1))
    before = _first_day(month, -1)
    return Period(month, before.replace(day=cycle_start_day), first.replace(day=cycle_start_day - 1))


def month_containing(day: date, *, cycle_start_day: int) -> str:
    """Return the name of the period that a day belongs to."""
    if cycle_start_day == 1 or day.day < cycle_start_day:
        return f"{day:%Y-%m}"
    return f"{_first_day(f'{day:%Y-%m}', 1):%Y-%m}"


def days_before_week(start: date, *, week_start: int) -> int:
    """Count the days (0..6) of the first pay week that lie before the period."""
    return (start.isoweekday() - week_start) % 7
