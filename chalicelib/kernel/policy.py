"""The pay policy: a tenant's settings with their defaults and meaning.

A new setting is one field of PayPolicy. The API and its document, validation, storage (only what differs from the
defaults), the defaults of older tenants, the terms of payroll runs, and which changes make periods stale follow from
it.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined

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


class _Term:
    """Marks a setting that payroll runs keep in their terms."""


_TERM = _Term()


def setting(
    default: object = PydanticUndefined,
    *,
    default_factory: Callable[[], object] | None = None,
    is_term: bool,
    description: str,
) -> Any:
    """Declare a setting: its default, what it means, and whether it is a term.

    A term changes what a day is worth: a payroll run stores its value when it is calculated, and a change makes open
    periods stale. A new term needs a migration that gives stored runs the value under which they were calculated
    (2026_12_01_1030_resolved_terms shows one).
    """
    field: Any = (
        Field(default, description=description)
        if default_factory is None
        else Field(default_factory=default_factory, description=description)
    )
    if is_term:
        field.metadata.append(_TERM)
    return field


class PayPolicy(BaseModel):
    """How days and sales become money, and how it is paid. Every switch has a default, so an empty policy is valid."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    missing_attendance: MissingAttendance = setting(
        MissingAttendance.ABSENT,
        is_term=True,
        description="what a working half without any attendance record counts as",
    )
    full_day_minutes: Minutes = setting(
        540,
        is_term=True,
        description="worked minutes from which a day is a full day, on shifts that say none; never more than the shift"
        " is long",
    )
    half_day_minutes: Minutes | None = setting(
        None,
        is_term=True,
        description="worked minutes from which a day is half a day, on shifts that say none; null: a short day is no"
        " paid day",
    )
    proration_basis: ProrationBasis = setting(
        ProrationBasis.WORKING_DAYS, is_term=True, description="what a monthly salary is divided by"
    )
    daily_paid_holidays: bool = setting(False, is_term=True, description="whether daily salaries are paid for holidays")
    weekly_rule: WeeklyRule = setting(
        WeeklyRule.ANY_DAY, is_term=True, description="what a partly worked pay week is worth"
    )
    advance_rate: Fraction = setting(
        Decimal("0.10"),
        is_term=False,
        description="part of a pending sale that is paid in advance; 0.10 is 10 %, 0 is none",
    )
    minimum_payout: Amount = setting(
        Decimal(0), is_term=False, description="smaller debts wait until they have grown to this"
    )
    payouts_enabled: bool = setting(True, is_term=False, description="whether payouts are made and sent at all")
    payout_schedule: bool = setting(
        True, is_term=False, description="whether runs start by themselves: advances at :00, finals at :30"
    )
    payout_approval_above: Amount | None = setting(
        Decimal("100000.00"),
        is_term=False,
        description="a payout waits for a second person's approval where it makes what its person is paid outside"
        " payroll runs within 24 hours, in the tenant's currency, more than this; null: no limit, and only payouts to"
        " people wait who may make, decide or run payouts themselves",
    )
    payout_limits: dict[CurrencyCode, Amount] = setting(
        default_factory=dict,
        is_term=False,
        description="the same limit in other currencies, by code; a payout in a currency that is not named waits",
    )
    four_eyes: bool = setting(
        True,
        is_term=False,
        description="whether nobody decides their own pay or approves what they had a part in; may be false only while"
        " a single person can approve, and counts as true as soon as there are two",
    )
    destination_hold_hours: Annotated[int, Field(ge=0, le=720)] = setting(
        24,
        is_term=False,
        description="how long nobody is paid to changed bank details unless a second person confirms them",
    )
    payout_provider: PayoutProvider = setting(
        PayoutProvider.SIMULATED,
        is_term=False,
        description="who pays; manual: people, in cash, by cheque or wallet, each payout confirmed with a reference",
    )
    manual_without_bank_account: bool = setting(
        False,
        is_term=False,
        description="whether people without a bank account are paid by hand (provider manual); else they wait",
    )
    payroll_change_limit: Fraction | None = setting(
        Decimal("0.25"),
        is_term=False,
        description="net pay that differs from the run before by more than this part is shown before approval;"
        " 0.25 is 25 %, null: is not looked at",
    )


TERMS = tuple(name for name, field in PayPolicy.model_fields.items() if _TERM in field.metadata)
