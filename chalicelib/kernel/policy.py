"""The pay policy: a tenant's settings with their defaults and meaning (rules.md, section 4)."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chalicelib.kernel.money import MINOR_UNITS
from chalicelib.kernel.schema import NUMBER, MoneyIn


class MissingAttendance(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"


class ProrationBasis(StrEnum):
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"


class WeeklyRule(StrEnum):
    ANY_DAY = "any_day"
    PRORATED = "prorated"


class PayoutProvider(StrEnum):
    SIMULATED = "simulated"
    BANK_FILE = "bank_file"
    MANUAL = "manual"


def _check_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError("is not a currency of ISO 4217")
    return code


CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_check_currency)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Fraction = Annotated[Decimal, Field(ge=0, le=1, max_digits=7, decimal_places=6), NUMBER]
Amount = MoneyIn


class PayPolicy(BaseModel):
    """How days and sales become money, and how it is paid. Every switch has a default, so an empty policy is valid."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    missing_attendance: MissingAttendance = Field(
        MissingAttendance.ABSENT, description="what a working half without any attendance record counts as"
    )
    full_day_minutes: Minutes = Field(
        540,
        description="worked minutes from which a day is a full day, on shifts that say none; never more than the shift"
        " is long",
    )
    half_day_minutes: Minutes | None = Field(
        None,
        description="worked minutes from which a day is half a day, on shifts that say none; null: a short day is no"
        " paid day",
    )
    proration_basis: ProrationBasis = Field(
        ProrationBasis.WORKING_DAYS, description="what a monthly salary is divided by"
    )
    daily_paid_holidays: bool = Field(False, description="whether daily salaries are paid for holidays")
    weekly_rule: WeeklyRule = Field(WeeklyRule.ANY_DAY, description="what a partly worked pay week is worth")
    advance_rate: Fraction = Field(
        Decimal("0.10"), description="part of a pending sale that is paid in advance; 0.10 is 10 %, 0 is none"
    )
    minimum_payout: Amount = Field(Decimal(0), description="smaller debts wait until they have grown to this")
    payouts_enabled: bool = Field(True, description="whether payouts are made and sent at all")
    payout_schedule: bool = Field(True, description="whether runs start by themselves: advances at :00, finals at :30")
    payout_approval_above: Amount | None = Field(
        Decimal("100000.00"),
        description="a payout waits for a second person's approval where it makes what its person is paid outside"
        " payroll runs within 24 hours, in the tenant's currency, more than this; null: no limit, and only payouts to"
        " people wait who may make, decide or run payouts themselves",
    )
    payout_limits: dict[CurrencyCode, Amount] = Field(
        default_factory=dict,
        description="the same limit in other currencies, by code; a payout in a currency that is not named waits",
    )
    four_eyes: bool = Field(
        True,
        description="whether nobody decides their own pay or approves what they had a part in; may be false only while"
        " a single person can approve, and counts as true as soon as there are two",
    )
    destination_hold_hours: Annotated[int, Field(ge=0, le=720)] = Field(
        24, description="how long nobody is paid to changed bank details unless a second person confirms them"
    )
    payout_provider: PayoutProvider = Field(
        PayoutProvider.SIMULATED,
        description="who pays; manual: people, in cash, by cheque or wallet, each payout confirmed with a reference",
    )
    manual_without_bank_account: bool = Field(
        False, description="whether people without a bank account are paid by hand (provider manual); else they wait"
    )
    payroll_change_limit: Fraction | None = Field(
        Decimal("0.25"),
        description="net pay that differs from the run before by more than this part is shown before approval;"
        " 0.25 is 25 %, null: is not looked at",
    )
