"""What comes in and goes out about holidays and shifts."""

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from chalicelib.entry.paging import PageQuery
from chalicelib.kernel.halves import Half
from chalicelib.kernel.moments import Day
from chalicelib.kernel.period import FIRST_YEAR, LAST_YEAR
from chalicelib.kernel.schema import NUMBER, UNSET, Input, Number, Output, Text, Version

_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _parse_time(value: Any) -> dt.time:
    if not isinstance(value, str) or not re.fullmatch(_CLOCK, value):
        raise ValueError("is not a time of day such as 09:00 or 22:30")
    return dt.time.fromisoformat(value)


Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
TimeIn = Annotated[
    dt.time,
    BeforeValidator(_parse_time),
    WithJsonSchema({"type": "string", "pattern": _CLOCK, "examples": ["09:00"]}, mode="validation"),
]
TimeOut = Annotated[dt.time, PlainSerializer(lambda moment: f"{moment:%H:%M}", return_type=str)]
Units = Annotated[
    Decimal, Field(ge=0, le=10, decimal_places=2, description="how many days' pay a full shift is worth"), NUMBER
]
Grace = Annotated[int, Field(ge=0, le=600)]
FullDayMinutes = Annotated[
    int,
    Field(
        ge=1,
        le=1440,
        description="worked minutes, net of the break, from which a day is a full day;"
        " never more than the shift lasts; null: those of the tenant's policy",
    ),
]
HalfDayMinutes = Annotated[
    int,
    Field(
        ge=1,
        le=1440,
        description="worked minutes, net of the break, from which a day is half a day;"
        " null: those of the tenant's policy",
    ),
]
BreakMinutes = Annotated[
    int, Field(ge=0, lt=1440, description="length of the break in the middle of the shift that is not paid")
]


class NewHoliday(Input):
    """A day, or half a day, on which there is no work; everywhere, or in one branch."""

    date: Day
    name: Text
    half: Half | None = Field(None, description="which half is off; null: the whole day")
    branch_id: UUID | None = Field(None, description="null: everywhere but in branches with holidays of their own")


class HolidayPatch(Input):
    """What may be changed about a holiday."""

    date: Day = UNSET
    name: Text = UNSET
    half: Half | None = None
    branch_id: UUID | None = None


class Holiday(Output):
    """A day, or half a day, on which there is no work."""

    id: UUID
    date: dt.date = Field(validation_alias="day")
    name: str
    half: Half | None
    branch_id: UUID | None
    version: Version


class HolidayQuery(PageQuery):
    """Which holidays."""

    year: Year | None = None
    branch_id: UUID | None = Field(None, description="only those of this branch alone")


class HolidayImport(Input):
    """A country's public holidays of one year."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1", examples=["BD"])]
    subdivision: Annotated[str, Field(max_length=60, description="ISO 3166-2, without country")] | None = None
    year: Year
    branch_id: UUID | None = None


class HolidaysImported(Output):
    """The rows that are new, and those that stood on such a date before and stay as they are."""

    added: list[Holiday]
    kept: list[Holiday]


class NewShift(Input):
    """A shift; one that ends before it starts ends on the next day."""

    name: Text
    start: TimeIn
    end: TimeIn
    payable_units: Units = Decimal(1)
    late_grace_minutes: Grace = 0
    early_grace_minutes: Grace = 0
    full_day_minutes: FullDayMinutes | None = None
    half_day_minutes: HalfDayMinutes | None = None
    unpaid_break_minutes: BreakMinutes = 0


class ShiftPatch(Input):
    """What may be changed about a shift."""

    name: Text = UNSET
    start: TimeIn = UNSET
    end: TimeIn = UNSET
    payable_units: Units = UNSET
    late_grace_minutes: Grace = UNSET
    early_grace_minutes: Grace = UNSET
    full_day_minutes: FullDayMinutes | None = None
    half_day_minutes: HalfDayMinutes | None = None
    unpaid_break_minutes: BreakMinutes = UNSET


class Shift(Output):
    """A shift; one that ends before it starts ends on the next day."""

    id: UUID
    name: str
    start: TimeOut = Field(validation_alias="starts_at")
    end: TimeOut = Field(validation_alias="ends_at")
    payable_units: Number
    late_grace_minutes: int
    early_grace_minutes: int
    full_day_minutes: int | None = Field(description="net minutes of a full day; null: the tenant's")
    half_day_minutes: int | None = Field(description="net minutes of half a day; null: the tenant's")
    unpaid_break_minutes: int
    version: Version
