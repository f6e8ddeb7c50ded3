"""What comes in and goes out about leave requests."""

import datetime as dt
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from chalicelib.entry.paging import PageQuery
from chalicelib.kernel.halves import Half
from chalicelib.kernel.moments import Day
from chalicelib.kernel.period import Month
from chalicelib.kernel.schema import UNSET, Input, LongText, Number, Output, Version
from chalicelib.kernel.states import RequestStatus


class LeaveRequestQuery(PageQuery):
    """Which requests."""

    status: RequestStatus | None = None
    user_id: UUID | None = Field(None, description="of one person")
    leave_type_id: UUID | None = None
    month: Month | None = Field(None, description="that concern this pay period")


class NewRequest(Input):
    """Leave from one day to another, both included, a year at most."""

    user_id: UUID | None = Field(None, description="for whom; for yourself, if not said")
    leave_type_id: UUID
    start_date: Day
    end_date: Day
    start_half: Half = Field(Half.FIRST, description="second: the first half of the first day is worked")
    end_half: Half = Field(Half.SECOND, description="first: the second half of the last day is worked")
    reason: LongText | None = None


class RequestPatch(Input):
    """A decision, or other dates inside those that were approved; what is given back is nobody's loss."""

    status: Literal[RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.CANCELLED] = UNSET
    notes: LongText | None = None
    start_date: Day = UNSET
    end_date: Day = UNSET
    start_half: Half = UNSET
    end_half: Half = UNSET

    @model_validator(mode="after")
    def _one_thing(self) -> "RequestPatch":
        dates = self.model_fields_set - {"status", "notes"}
        if bool(dates) == ("status" in self.model_fields_set):
            raise ValueError("say either a status, or the dates to shorten approved leave to")
        return self


class LeaveRequest(Output):
    """Leave that a person asked for, and what became of it."""

    id: UUID
    user_id: UUID
    leave_type_id: UUID
    start_date: dt.date
    end_date: dt.date
    start_half: Half
    end_half: Half
    days: Number = Field(description="of the person's own working days, or of all if the leave type counts all")
    reason: str | None
    status: RequestStatus
    notes: str | None
    decided_by: UUID | None = Field(description="the person who decided last, where it was a person and not a machine")
    decided_at: dt.datetime | None
    submission_id: UUID | None = Field(description="the form submission that asked for it, which decides it too")
    created_at: dt.datetime
    version: Version


class DecidedRequest(LeaveRequest):
    """The same after a decision."""

    late_correction: list[str] = Field(
        description="locked pay periods that keep what was paid; the difference is paid later"
    )
