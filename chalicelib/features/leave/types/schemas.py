"""What comes in and goes out about leave types."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema

from chalicelib.kernel.schema import NUMBER, UNSET, Input, LongText, Number, Output, Text, Version

_MOST = 999
Days = Annotated[
    Decimal,
    Field(ge=0, le=_MOST, multiple_of=Decimal("0.5")),
    NUMBER,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": _MOST, "multipleOf": 0.5, "examples": [1.5]}),
]
DaysOfYear = Annotated[
    Decimal,
    Field(ge=0, le=366, multiple_of=Decimal("0.5")),
    NUMBER,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 366, "multipleOf": 0.5, "examples": [20]}),
]
NoticeDays = Annotated[int, Field(ge=0, le=366)]
Color = Annotated[
    str,
    Field(pattern="^#[0-9a-fA-F]{6}$", min_length=7, max_length=7, examples=["#2e7d32"]),
    AfterValidator(str.lower),
]


class NewLeaveType(Input):
    """A kind of leave."""

    name: Text
    description: LongText | None = None
    color: Color | None = Field(None, description="of this leave in calendars")
    is_paid: bool = Field(True, description="false: a loss of pay")
    counts_non_working_days: bool = Field(
        False, description="whether holidays and days off inside a leave use it up, and are leave"
    )
    is_limited: bool = Field(True, description="false: may be taken without an allocation, such as unpaid leave")
    days_per_year: DaysOfYear = Field(
        Decimal(0),
        description="what an allocation has where nothing else is said",
        json_schema_extra={"default": 0},  # a number, as it is sent
    )
    allow_carryover: bool = Field(False, description="whether days left at the end go over to the next cycle")
    carryover_limit: Days | None = Field(None, description="most days that are carried over; null: all of them")
    expiry_rule_id: UUID | None = Field(None, description="when unused days expire; null: never")
    notice_days: NoticeDays = Field(
        0, description="days between asking and the first day of leave; 0: may be asked for afterwards, too"
    )
    is_active: bool = Field(True, description="false: nobody is given or asks for any more of it")


class LeaveTypePatch(Input):
    """What may be changed about a kind of leave; what was approved before stays as it was."""

    name: Text = UNSET
    description: LongText | None = None
    color: Color | None = None
    is_paid: bool = UNSET
    counts_non_working_days: bool = UNSET
    is_limited: bool = UNSET
    days_per_year: DaysOfYear = UNSET
    allow_carryover: bool = UNSET
    carryover_limit: Days | None = None
    expiry_rule_id: UUID | None = Field(None, description="days not yet expired then expire by the new rule")
    notice_days: NoticeDays = UNSET
    is_active: bool = UNSET


class LeaveType(Output):
    """A kind of leave."""

    id: UUID
    name: str
    description: str | None
    color: str | None
    is_paid: bool
    counts_non_working_days: bool
    is_limited: bool
    days_per_year: Number
    allow_carryover: bool
    carryover_limit: Number | None
    expiry_rule_id: UUID | None
    notice_days: int
    is_active: bool
    version: Version
