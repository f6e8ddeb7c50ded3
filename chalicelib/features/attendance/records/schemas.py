"""What comes in and goes out about attendance."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.features.attendance.records.rules import LONGEST_MINUTES, AttendanceRecord
from chalicelib.kernel.halves import Half
from chalicelib.kernel.moments import Day, Moment
from chalicelib.kernel.period import Month
from chalicelib.kernel.schema import Input, Output, Text, Version

__all__ = ["Day", "Moment"]  # the kernel's own, also for the routes of this feature
ClockOrMoment = Annotated[
    Text,
    Field(max_length=40, description="HH:MM in the employee's time zone, or RFC 3339", examples=["08:55"]),
]
Stated = Literal["present", "absent", "half_day"]
WorkedMinutes = Annotated[int, Field(ge=0, le=LONGEST_MINUTES)]


class Punch(Input):
    """A check-in or check-out; without `at` it is now, and the body may be left out."""

    at: Moment | None = None


class AttendanceDay(Output):
    """One day of one person: what was said, and what it is worth."""

    user_id: UUID
    date: dt.date = Field(description="local date on which the shift starts")
    check_in: dt.datetime | None = Field(description="the first of the day")
    check_out: dt.datetime | None = Field(description="the last of the day")
    worked_minutes: int | None = Field(
        description="as punched or stated; the shift's unpaid break is taken off where the day is judged"
    )
    status: Literal["present", "half_day", "absent", "open"] = Field(
        description="of a day whose halves are both open; beside leave, on-duty, a holiday or a day off the pay"
        " register asks for half of the minutes. open: checked in, and not out yet"
    )
    stated: Stated | None = Field(description="the status that somebody stated; it stands above the minutes")
    present_halves: list[Half] = Field(description="of a day whose halves are both open")
    late_minutes: int
    early_out_minutes: int
    source: Literal["punch", "import", "correction"]
    version: Version

    @classmethod
    def of(cls, row: AttendanceRecord) -> "AttendanceDay":
        """Make the reply of a record."""
        halves = [half for half, bit in ((Half.FIRST, 2), (Half.SECOND, 1)) if row.present & bit]
        worth: Any = ("absent", "half_day", "present")[len(halves)]
        return cls(
            user_id=row.user_id,
            date=row.day,
            check_in=row.check_in_at,
            check_out=row.check_out_at,
            worked_minutes=row.worked_minutes,
            status="open" if row.session_started_at else worth,
            stated=row.stated,
            present_halves=halves,
            late_minutes=row.late_minutes,
            early_out_minutes=row.early_out_minutes,
            source=row.source,
            version=row.version,
        )


class AttendanceMonth(Output):
    """The days of a pay period that have an attendance record, in their order."""

    user_id: UUID
    month: str
    start_date: dt.date
    end_date: dt.date
    items: list[AttendanceDay]
    next_cursor: str | None = None


class MonthQuery(Input):
    """Which pay period; the present one, if not said."""

    month: Month | None = None


class Correction(Input):
    """What the day's record is to say from now on, as a whole: what is left out is no longer said."""

    check_in: ClockOrMoment | None = None
    check_out: ClockOrMoment | None = None
    worked_minutes: WorkedMinutes | None = None
    status: Stated | None = None
    half: Half | None = Field(None, description="of a half_day; the first if not said")
    reason: Text


class RemovalQuery(Input):
    """Why the record goes."""

    reason: Text
