"""What comes in and goes out about leave expiry."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chalicelib.features.leave.expiry import rules
from chalicelib.features.leave.expiry.rules import MAX_DAYS, MAX_WARNING_DAYS, Action
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import UNSET, Input, LongText, MoneyOut, Number, Output, Text, Version


def _readable(formula: str) -> str:
    try:
        rules.parse_formula(formula)
    except Invalid as wrong:
        raise ValueError(wrong.detail) from None
    return formula


def _each_once(steps: list[int]) -> list[int]:
    return sorted(set(steps), reverse=True)


ExpireAfterDays = Annotated[int, Field(ge=0, le=MAX_DAYS)]
Formula = Annotated[
    str,
    Field(min_length=1, max_length=50, examples=["cycle_end + 3 months", "cycle_end + 90 days", "03-31"]),
    AfterValidator(_readable),
]
NotificationDays = Annotated[
    list[Annotated[int, Field(ge=0, le=MAX_WARNING_DAYS)]], Field(max_length=20), AfterValidator(_each_once)
]
_DAYS = "how many days after the cycle's end is the last day of use; 0 unless said here or by a formula"
_FORMULA = (
    "in the place of a number: so many days or months after `cycle_end` (a month too short for the day ends with its"
    " last), or the first such month and day after it (02-29 is 02-28 where there is none)"
)
_NOTIFY = "so many days before the last day of use people with days left are warned, once each"


class NewExpiryRule(Input):
    """Until when the days of a cycle may be used, and what becomes of those that are left the day after."""

    name: Text
    description: LongText | None = None
    expire_after_days: ExpireAfterDays | None = Field(None, description=_DAYS)
    expiry_date_formula: Formula | None = Field(None, description=_FORMULA)
    notification_days: NotificationDays = Field([30, 14, 7, 1], description=_NOTIFY)
    auto_expire_action: Action = Field(
        Action.DELETE,
        description="delete: they lapse; convert_to_cash: an adjustment of the next payroll; transfer_to_next_cycle:"
        " up to the leave type's carryover_limit, all if it has none, and the rest lapses",
    )
    is_active: bool = Field(True, description="false: days of its leave types do not expire")


class ExpiryRulePatch(Input):
    """What may be changed about a rule; days that have not expired yet then expire as it says now."""

    name: Text = UNSET
    description: LongText | None = None
    expire_after_days: ExpireAfterDays | None = Field(None, description=_DAYS)
    expiry_date_formula: Formula | None = Field(None, description=_FORMULA)
    notification_days: NotificationDays = Field(UNSET, description=_NOTIFY)
    auto_expire_action: Action = UNSET
    is_active: bool = UNSET


class ExpiryRule(Output):
    """Until when days may be used, and what becomes of the rest."""

    id: UUID
    name: str
    description: str | None
    expire_after_days: int | None
    expiry_date_formula: str | None
    notification_days: list[int]
    auto_expire_action: Action
    is_active: bool
    version: Version


class ExpiryRunQuery(Input):
    """Whether to do it at all."""

    dry_run: bool = Field(False, description="true: say what would happen, and do nothing")


class NewExpiryRun(Input):
    """Which night."""

    date: Day | None = Field(
        None, description="acts on days whose last day of use is before this; today unless said. To come: dry runs only"
    )


class PlannedWarning(Output):
    """One person who would be warned."""

    allocation_id: UUID
    user_id: UUID
    leave_type_id: UUID
    leave_type: str
    days: Number
    expires_on: date
    days_left: int
    action: Action
    step: int


class PlannedAction(Output):
    """What would become of one allocation's days; with a problem they stay until it is solved."""

    allocation_id: UUID
    user_id: UUID
    leave_type_id: UUID
    leave_type: str
    action: Action
    expires_on: date
    lapsed_days: Number
    encashed_days: Number
    transferred_days: Number
    amount: MoneyOut | None
    currency: str | None
    formula: str | None = Field(description="how the amount comes about: rate x days / working days")
    next_cycle_start_date: date | None = Field(description="where days go over to, if any do")
    problem: str | None


class Amount(Output):
    """A sum in one currency."""

    amount: MoneyOut
    currency: str


class ExpiryPlan(Output):
    """What a night would do: the sums of everything, and the first 200 of each list."""

    warnings: int
    allocations: int = Field(description="those whose days would go somewhere")
    lapsed_days: Number
    encashed_days: Number
    transferred_days: Number
    amounts: list[Amount]
    problems: int
    warning_items: list[PlannedWarning]
    action_items: list[PlannedAction]


class ExpiryRun(Output):
    """A job to follow or, of a dry run, what it would do."""

    date: date
    job_id: UUID | None
    status_url: str | None
    plan: ExpiryPlan | None
