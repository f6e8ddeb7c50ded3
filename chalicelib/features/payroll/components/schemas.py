"""What comes in and goes out about payment types: the components that payslips are made of."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, WithJsonSchema

from chalicelib.entry.paging import PageQuery
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.components.rules import VARIABLES, Calculation
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.formulas import REFERENCE
from chalicelib.kernel.moments import Day
from chalicelib.kernel.period import Month
from chalicelib.kernel.schema import (
    NUMBER,
    UNSET,
    Exact,
    Input,
    LongText,
    MoneyIn,
    MoneyOut,
    Number,
    Output,
    SourceText,
    Text,
    Version,
)

MOST_PERCENT = 1000
Percent = Annotated[
    Decimal,
    Field(ge=0, le=MOST_PERCENT, decimal_places=6),
    NUMBER,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST_PERCENT, "examples": [12.5]}, mode="validation"),
]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60, examples=["performance_bonus"])]
FormulaText = Annotated[SourceText, Field(examples=["MIN(ot_hours, 40) * hourly_rate * 1.5"])]
_NAMES = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items())
_FORMULAS = f"""{REFERENCE}
Beside these names, a formula may use every other payment type by its code:

| name | is |
|---|---|
{_NAMES}
"""


class NewPaymentType(Input):
    """A component of payslips. Say what its calculation needs, and nothing of the others.

    `fixed`: an amount; `percentage`: percent, and of what base; `formula`: a formula; `dynamic`: nothing, because its
    amounts are given for each person in each payroll run.
    """

    code: Code | None = Field(None, description="what formulas know it by; made out of the name unless said")
    name: Text
    description: LongText | None = None
    category: Category = Field(description="a benefit is told on the payslip, and is in no total but its own")
    calculation: Calculation
    amount: MoneyIn | None = Field(None, description="of a fixed one")
    currency: KnownCurrency | None = Field(None, description="of the amount; the tenant's unless said")
    percent: Percent | None = Field(None, description="of a percentage: 12.5 is 12.5 %")
    base: Code | None = Field(
        None,
        description="of a percentage: a variable of formulas or the code of another component; earned_salary unless"
        " said",
    )
    formula: FormulaText | None = Field(None, description=_FORMULAS)
    applies_to_all: bool = Field(False, description="false: only to those whom it is assigned to")
    effective_from: Day | None = Field(None, description="the first day of the current pay period unless said")
    is_active: bool = Field(True, description="false: no run computes it")


class PaymentTypePatch(Input):
    """What may be changed. Another amount, percent, base or formula is a new version; those before stay."""

    code: Code = Field(UNSET, description="never changes")
    category: Category = Field(UNSET, description="never changes")
    calculation: Calculation = Field(UNSET, description="never changes")
    name: Text = UNSET
    description: LongText | None = None
    amount: MoneyIn = UNSET
    currency: KnownCurrency = UNSET
    percent: Percent = UNSET
    base: Code = UNSET
    formula: FormulaText = UNSET
    effective_from: Day = Field(
        UNSET, description="from when the new version is in force: the first day of the current period unless said"
    )
    applies_to_all: bool = UNSET
    is_active: bool = UNSET


class TypeQuery(PageQuery):
    """Which payment types."""

    category: Category | None = None
    is_active: bool | None = None


class TypeVersion(Output):
    """What a payment type comes to from a day on, until the next version's day."""

    number: int
    effective_from: date
    amount: MoneyOut | None
    currency: str | None
    percent: Number | None
    base: str | None
    formula: str | None
    created_by: str
    created_at: datetime


class ListedType(Output):
    """A component of payslips, as it is today, or as it begins where that is still to come."""

    id: UUID
    code: str
    name: str
    description: str | None
    category: Category
    calculation: Calculation
    amount: MoneyOut | None = Field(description="of a fixed one")
    currency: str | None
    percent: Number | None = Field(description="of a percentage")
    base: str | None = Field(description="what a percentage is of")
    formula: str | None
    effective_from: date = Field(description="since when it comes to this")
    applies_to_all: bool
    is_active: bool
    created_at: datetime
    version: Version


class PaymentType(ListedType):
    """A component of payslips, with every version of what it comes to, the last to begin first."""

    versions: list[TypeVersion]


class ComponentAssignmentQuery(Input):
    """As of which day."""

    on: Day | None = Field(None, description="today, if not said")


class AssignmentInput(Input):
    """That a component is for a person, or not; and what it comes to for them, where that is their own.

    What begins on the same day is replaced. Of several, the last to begin of those that have not ended is in force.
    """

    effective_from: Day | None = Field(None, description="the first day of the current pay period unless said")
    effective_to: Day | None = Field(None, description="last day; until further notice unless said")
    applies: bool = Field(True, description="false: it is not for this person, although it applies to all")
    amount: MoneyIn | None = Field(
        None,
        description="instead of a fixed one's amount, or of what a formula comes to; in the currency of their pay",
    )
    percent: Percent | None = Field(None, description="instead of a percentage's own")


class ComponentAssignment(Output):
    """That a component is for a person from a day on, or not."""

    user_id: UUID
    payment_type_id: UUID
    code: str
    effective_from: date
    effective_to: date | None
    applies: bool
    amount: MoneyOut | None
    currency: str | None = Field(description="of the amount: that of the person's pay")
    percent: Number | None
    changed_by: str
    changed_at: datetime


class PersonsType(Output):
    """What one component is for one person on a day."""

    payment_type_id: UUID
    code: str
    name: str
    category: Category
    calculation: Calculation
    applies: bool
    amount: MoneyOut | None
    currency: str | None
    percent: Number | None
    base: str | None
    formula: str | None
    assignment: ComponentAssignment | None = Field(description="the person's own; null: it applies to all")


class PersonsTypes(Output):
    """The components that apply to a person on a day, and those that they are taken out of."""

    user_id: UUID
    on: date
    items: list[PersonsType]


class PreviewInput(Input):
    """A payment type as it might be, and the employee to compute it for. A formula alone will do."""

    user_id: UUID
    month: Month | None = Field(None, description="whose register and balance it is computed from; the current one")
    code: Code | None = Field(None, description="what it is instead of, where there is one with this code")
    category: Category | None = Field(
        None, description="that of the one with this code, or else a benefit, so that it changes no total"
    )
    calculation: Calculation = Calculation.FORMULA
    amount: MoneyIn | None = None
    currency: KnownCurrency | None = None
    percent: Percent | None = None
    base: Code | None = None
    formula: FormulaText | None = None


class ComponentTrace(Output):
    """A part of the formula and what it came to: a number as a string, or whether it holds."""

    expression: str
    value: bool | Exact | None
    warning: str | None


class ComponentPreview(Output):
    """What a payment type would come to, and how."""

    user_id: UUID
    month: str
    formula: str = Field(description="also of what is no formula: a percentage reads earned_salary * 12.5%")
    value: Exact | None = Field(description="exact; null: it has no value, as the warnings say")
    rounded: MoneyOut = Field(description="what a payslip would say: rounded once, and not below 0")
    currency: str
    inputs: dict[str, Exact | None] = Field(description="what the formula used; null: it had no value")
    trace: list[ComponentTrace] = Field(description="every part of the formula, innermost first")
    warnings: list[str]
