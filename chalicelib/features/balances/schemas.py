"""What goes out about balances."""

from datetime import date
from uuid import UUID

from pydantic import Field

from chalicelib.kernel.schema import MoneyOut, Output


class BalanceLine(Output):
    """One salary's part of the amount: days x rate, and how it was computed."""

    frequency: str
    from_: date = Field(serialization_alias="from", validation_alias="from")
    to: date
    rate: MoneyOut
    quantity: float = Field(description="paid days; units for daily salaries; weeks for weekly ones")
    extra_days: float
    divisor: float | None = Field(description="working days or calendar days of the period, for monthly salaries")
    formula: str = Field(examples=["15000.00 x 19 / 21"])
    amount: MoneyOut


class EarnedBalance(Output):
    """What one person has earned in a period so far."""

    user_id: UUID
    as_of: date
    currency: str
    earned_to_date: MoneyOut
    totals: dict[str, object]
    lines: list[BalanceLine]


class SalarySoFar(Output):
    """The salary part of a person's balance: their latest computed period."""

    month: str
    as_of: date
    currency: str = Field(description="the salary's own")
    earned_to_date: MoneyOut
    lines: list[BalanceLine]
