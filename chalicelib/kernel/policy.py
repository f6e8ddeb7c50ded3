"""The pay policy: the switches that a tenant sets, with their defaults and what each means (rules.md, section 4)."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class MissingAttendance(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"


class ProrationBasis(StrEnum):
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"


class WeeklyRule(StrEnum):
    ANY_DAY = "any_day"
    PRORATED = "prorated"


Minutes = Annotated[int, Field(ge=1, le=1440)]


class PayPolicy(BaseModel):
    """How days become money. Every switch has a default, so an empty policy is a valid one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    missing_attendance: MissingAttendance = Field(
        MissingAttendance.ABSENT, description="what a working half without any attendance record counts as"
    )
    full_day_minutes: Minutes = Field(540, description="worked minutes from which a day is a full day")
    half_day_minutes: Minutes | None = Field(
        None, description="worked minutes from which a day is half a day; null: a short day is no paid day"
    )
    proration_basis: ProrationBasis = Field(
        ProrationBasis.WORKING_DAYS, description="what a monthly salary is divided by"
    )
    daily_paid_holidays: bool = Field(False, description="whether daily salaries are paid for holidays")
    weekly_rule: WeeklyRule = Field(WeeklyRule.ANY_DAY, description="what a partly worked pay week is worth")
