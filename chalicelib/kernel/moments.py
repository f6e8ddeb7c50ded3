"""Days and moments as input: one way to write them, and only years that pay periods are made for.

Near the first and last representable date there is no day before or after, and no local time in some zones. Such input
would fail later, in whatever computes the next day; it is refused here, with the reason.
"""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, overload

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from chalicelib.kernel.period import FIRST_YEAR, LAST_YEAR
from chalicelib.kernel.schema import STORED

FIRST_DAY, LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
FIRST_LIFE_DAY = date(1900, 1, 1)  # employment may begin before the first pay period
_FIRST_MOMENT, _END_OF_MOMENTS = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
_NO_DAY = "is not a date like 2026-01-31"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


def read_day(value: object) -> date | None:
    """Return the day that a text like 2026-01-31 names. Raises ValueError for everything else; null passes."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, str):
        return _parse_day(value)
    raise ValueError(_NO_DAY)


@lru_cache(maxsize=10_000)  # the rows of an import are about a few days
def _parse_day(text: str) -> date:
    """Parse YYYY-MM-DD and nothing else, or raise ValueError with the reason."""
    if not _DAY.fullmatch(text):
        raise ValueError(_NO_DAY)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is a date that no calendar has") from None


@overload
def read_moment(value: str | datetime) -> datetime: ...


@overload
def read_moment(value: object) -> datetime | None: ...


def read_moment(value: object) -> datetime | None:
    """Return a moment of RFC 3339 in UTC. Raises ValueError without an offset or outside our years; null passes."""
    if value is None:
        return value
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            value = datetime.fromisoformat(value.upper().replace(" ", "T"))
        except ValueError:
            raise ValueError("is a date that no calendar has") from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("is not a moment like 2026-01-31T14:30:00+06:00")
    try:
        moment = value.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, less or more its offset
        moment = None
    if moment is None or not _FIRST_MOMENT <= moment < _END_OF_MOMENTS:
        raise ValueError(f"must be between {FIRST_YEAR} and {LAST_YEAR}")
    return moment


def _read_life_day(value: object, info: ValidationInfo) -> date | None:
    day = read_day(value)
    if day is not None and info.context == STORED:  # stored when any year was accepted
        return max(FIRST_LIFE_DAY, min(day, LAST_DAY))
    return day


# A day of a pay period; and a day in an employee's life, which may lie before the first pay period.
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, examples=["2026-01-05"]), BeforeValidator(read_day)]
LifeDay = Annotated[
    date, Field(ge=FIRST_LIFE_DAY, le=LAST_DAY, examples=["2026-01-05"]), BeforeValidator(_read_life_day)
]
Moment = Annotated[
    datetime,
    BeforeValidator(read_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-05T14:30:00+06:00"]}),
]
