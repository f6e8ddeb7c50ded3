"""What comes in and goes out about rosters."""

import datetime as dt
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import Input, Output

MOST_DAYS = 400  # a little more than a year at once


class Off(StrEnum):
    """Which part of a day is off."""

    FIRST = "first"
    SECOND = "second"
    FULL = "full"


class RosterEntry(Input):
    """What one day is planned to be, in place of the branch's weekend."""

    date: Day
    shift_id: UUID | None = Field(None, description="null: the person's usual shift")
    off: Off | None = Field(None, description="null: a working day, even on a weekend")
    works_holidays: bool = Field(False, description="a holiday on this day is worked")


class RosterInput(Input):
    """Days to plan, and days to give back to the ordinary calendar."""

    entries: Annotated[list[RosterEntry], Field(max_length=MOST_DAYS)]
    clear: Annotated[list[Day], Field(max_length=MOST_DAYS)] = Field(default_factory=list)


class RosterQuery(Input):
    """From which day to which, both included; the pay period of today unless said."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None


class RosterDay(Output):
    """What one day is planned to be."""

    date: dt.date
    shift_id: UUID | None
    off: Off | None
    works_holidays: bool


class RosterChanged(Output):
    """The days as they are planned now, and how many days that changed."""

    items: list[RosterDay]
    changed: int
