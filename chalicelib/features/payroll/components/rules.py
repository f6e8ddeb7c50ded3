"""Components: the types that their definitions and the calculation share."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chalicelib.features.payroll.components.categories import Category


class Calculation(StrEnum):
    """How a component's amount is determined."""

    FIXED = "fixed"
    PERCENTAGE = "percentage"
    FORMULA = "formula"
    DYNAMIC = "dynamic"  # given for each person in each run


# What every formula of pay may use, besides other components by their code.
VARIABLES: dict[str, str] = {
    "base_salary": "the salary in force at the end of the period, per month, week or day",
    "earned_salary": "what the days of the period are worth: the sum of the balance's lines",
    "gross": "the salary earned, all earning components and the adjustments that pay; without arrears, which the period"
    " they are for has taxed",
    "working_days": "days of the period to be worked, on the person's calendar",
    "present_days": "days present, on duty counted in",
    "od_days": "days on duty elsewhere",
    "paid_leave_days": "days of paid leave",
    "lop_days": "days of leave without pay",
    "absent_days": "days absent",
    "holidays": "holidays of the period",
    "week_offs": "weekly days off of the period",
    "extra_days": "days paid on top",
    "payable_shifts": "shifts paid: present and on duty in units, paid leave and extra days",
    "ot_hours": "approved hours of overtime",
    "late_count": "days begun late",
    "early_out_count": "days ended early",
    "hourly_rate": "the daily rate by the hours of a full day",
    "daily_rate": "base_salary by the working days of the period (monthly), of a week (weekly), or itself (daily)",
    "years_of_service": "complete years since joining, at the end of the period",
    "kpi_score": "the sum of the person's weighted KPI scores in the cycle of the period's last day; missing: none",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One component as it is in force on a day."""

    type_id: UUID
    code: str  # what formulas know it by
    name: str
    category: Category
    calculation: Calculation
    version: int  # which of its versions this is
    applies_to_all: bool
    amount: Decimal | None = None  # of a fixed one, in `currency`
    currency: str | None = None  # of a fixed one
    percent: Decimal | None = None  # of a percentage: 12.5 is 12.5 %
    base: str | None = None  # of a percentage: a variable or the code of another component
    formula: str | None = None  # of a formula

    def formula_text(self) -> str:
        """Return the component as a formula: the text that is evaluated, however it is defined."""
        match self.calculation:
            case Calculation.FIXED:
                return format(self.amount or Decimal(0), "f")
            case Calculation.PERCENTAGE:
                return f"{self.base} * {format(self.percent or Decimal(0), 'f')}%"
            case Calculation.FORMULA:
                return self.formula or "0"
        return "0"
