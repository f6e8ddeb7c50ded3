"""What comes in and goes out about allocations and balances."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from chalicelib.entry.paging import PageQuery
from chalicelib.features.leave.rules import Bucket
from chalicelib.features.leave.types.schemas import Days
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import UNSET, Input, LongText, Number, Output, Version

MOST_PEOPLE = 10_000


class AllocationQuery(PageQuery):
    """Which allocations."""

    user_id: UUID | None = Field(None, description="of one person")
    leave_type_id: UUID | None = None
    on: Day | None = Field(None, description="whose cycle this day is in, or whose days may still be used on it")


class NewAllocation(Input):
    """Days of one kind of leave for one person and cycle."""

    user_id: UUID
    leave_type_id: UUID
    cycle_start_date: Day
    cycle_end_date: Day | None = Field(None, description="a year from the start, if not said")
    allocated_days: Days | None = Field(None, description="the leave type's days_per_year, if not said")
    notes: LongText | None = None


class AllocationPatch(Input):
    """Another number of days, up or down; the difference is booked."""

    allocated_days: Days = UNSET
    notes: LongText | None = None


class NewAllocations(Input):
    """Days of one kind of leave for many: some people by name, a department, or all."""

    leave_type_id: UUID
    cycle_start_date: Day
    cycle_end_date: Day | None = Field(None, description="a year from the start, if not said")
    days: Days | None = Field(None, description="the leave type's days_per_year, if not said")
    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_PEOPLE)] | None = None
    department_id: UUID | None = None
    all: Literal[True] | None = Field(None, description="everybody employed in the cycle")
    pro_rata_for_joiners: bool = Field(
        False,
        description="who joins inside the cycle gets days x calendar days from joining to the cycle's end / calendar"
        " days of the cycle, rounded down to half a day: 20 days of 2026, joined 15 April: 20 x 261 / 365 = 14",
    )
    notes: LongText | None = None

    @model_validator(mode="after")
    def _check_recipients(self) -> "NewAllocations":
        if sum(value is not None for value in (self.user_ids, self.department_id, self.all)) != 1:
            raise ValueError("say for whom in one way: user_ids, department_id, or all")
        return self


class SkippedAllocations(Output):
    """People who were given nothing, and why."""

    reason: Literal["is_you", "no_employment", "left_before", "joins_after", "overlaps", "too_late_for_half_a_day"]
    detail: str
    people: int
    user_ids: list[UUID] = Field(description="the first 50 of them")


class Allocated(Output):
    """What giving days to many came to."""

    people: int
    days: Number
    expires_on: dt.date | None
    skipped: list[SkippedAllocations]


class Allocation(Output):
    """Days of one kind of leave for one person and cycle, and where they are."""

    id: UUID
    user_id: UUID
    leave_type_id: UUID
    cycle_start_date: dt.date
    cycle_end_date: dt.date
    allocated_days: Number
    carried_days: Number
    pending_days: Number
    used_days: Number
    lapsed_days: Number
    encashed_days: Number
    transferred_days: Number
    remaining_days: Number
    expires_on: dt.date | None = Field(description="last day on which the days may be used; null: never ends")
    expired_at: dt.datetime | None
    notes: str | None
    created_at: dt.datetime
    version: Version


class BalanceQuery(Input):
    """Up to which day of leave, and by whose knowledge."""

    on: Day | None = Field(
        None, description="only entries that concern days up to this one; if left out, all, also of leave to come"
    )
    known_at: Day | None = Field(
        None, description="only what was booked by the end of this day in the tenant's time zone"
    )


class BalanceEntry(Output):
    """One line of how a balance came about."""

    bucket: Bucket
    days: Number = Field(description="added to the bucket, or below 0 taken from it")
    cause: str = Field(examples=["allocated/1"])
    request_id: UUID | None = Field(description="null: not of a request, or leave that was set by hand")
    concerns_on: dt.date = Field(description="the day of leave, or the first day on which the entry counts")
    booked_at: dt.datetime
    booked_by: str


class LeaveBalance(Output):
    """One kind of leave and cycle: allocated + carried is what all the others come to."""

    allocation_id: UUID
    leave_type_id: UUID
    leave_type: str
    cycle_start_date: dt.date
    cycle_end_date: dt.date
    allocated: Number
    carried: Number
    used: Number
    pending: Number
    lapsed: Number
    encashed: Number
    transferred: Number
    remaining: Number
    expires_on: dt.date | None
    is_over: bool = Field(
        description="on that day: the cycle has ended, and nothing of it is left or may still be used"
    )
    entries: list[BalanceEntry]


class Balances(Output):
    """A person's days of leave as of a day."""

    user_id: UUID
    on: dt.date
    known_at: dt.date | None
    items: list[LeaveBalance]
