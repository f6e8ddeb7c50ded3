"""What comes in and goes out about on-duty and overtime."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from chalicelib.entry.paging import PageQuery
from chalicelib.kernel.halves import Half
from chalicelib.kernel.moments import Day
from chalicelib.kernel.period import Month
from chalicelib.kernel.schema import NUMBER, Input, LongText, Number, Output, Version
from chalicelib.kernel.states import RequestStatus

Hours = Annotated[
    Decimal,
    Field(gt=0, le=24, multiple_of=Decimal("0.25")),
    NUMBER,
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 24, "multipleOf": 0.25, "examples": [1.5]}),
]


class AttendanceRequestQuery(PageQuery):
    """Which requests."""

    status: RequestStatus | None = None
    user_id: UUID | None = Field(None, description="of one person")
    month: Month | None = Field(None, description="that concern this pay period")


class RequestDecision(Input):
    """What becomes of a request."""

    status: Literal[RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.CANCELLED]


class NewOnDuty(Input):
    """Days of work elsewhere, 31 at most; with `half`, that half of every one of them."""

    user_id: UUID | None = Field(None, description="for whom; for yourself, if not said")
    start_date: Day
    end_date: Day
    half: Half | None = None
    reason: LongText | None = None


class NewOvertime(Input):
    """Hours worked beyond the shift, in quarters."""

    user_id: UUID | None = Field(None, description="for whom; for yourself, if not said")
    date: Day
    hours: Hours
    reason: LongText | None = None


class Request(Output):
    """What a person asked for, and what became of it."""

    id: UUID
    user_id: UUID
    status: RequestStatus
    reason: str | None
    decided_by: UUID | None = Field(description="the person who decided last, where it was a person and not a machine")
    decided_at: dt.datetime | None
    created_at: dt.datetime
    version: Version


class OnDuty(Request):
    """Work elsewhere."""

    start_date: dt.date
    end_date: dt.date
    half: Half | None


class Overtime(Request):
    """Hours beyond the shift."""

    date: dt.date
    hours: Number
