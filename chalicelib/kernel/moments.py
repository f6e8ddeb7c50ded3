"""Days and moments as they come in: written one way, and inside the years that calendars here are made for.

Near the ends of time a date has no day before or after it, and a moment no local time in some zone: reading them would
fail later, in whatever asks for the next day. So they end here, with a reason.
"""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from chalicelib.kernel.period import FIRST_YEAR, LAST_YEAR
from chalicelib.kernel.schema import STORED

FIRST_DAY, LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
FIRST_LIFE_DAY = date(1900, 1, 1)  # people are employed since before pay periods begin
_FIRST_MOMENT, _END_OF_MOMENTS = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
_NO_DAY = "is not a date like 2026-01-31"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


def read_day(value: Any) -> Any:
    """Return the day that a text like 2026-01-31 names. Raise ValueError for everything else; null passes."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, str):
        return _parse_day(value)
    raise ValueError(_NO_DAY)


@lru_cache(maxsize=10_000)  # the rows of a file are about a few days
def _parse_day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(_NO_DAY)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is a date that no calendar has") from None


def read_moment(value: Any) -> Any:
    """Return a moment of RFC 3339 in UTC. Raise ValueError without an offset or outside our years; null passes."""
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


def _read_life_day(value: Any, info: ValidationInfo) -> Any:
    day = read_day(value)
    is_stored = info.context == STORED and isinstance(day, date)
    return max(FIRST_LIFE_DAY, min(day, LAST_DAY)) if is_stored else day  # taken when any year was


# A day that pay periods are made of; and one in a life, which may lie before the first of them.
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, examples=["2026-01-05"]), BeforeValidator(read_day)]
LifeDay = Annotated[
    date, Field(ge=FIRST_LIFE_DAY, le=LAST_DAY, examples=["2026-01-05"]), BeforeValidator(_read_life_day)
]
Moment = Annotated[
    datetime,
    BeforeValidator(read_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-05T14:30:00+06:00"]}),
]
