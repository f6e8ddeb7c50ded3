"""What goes out about one person's money."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chalicelib.features.balances.schemas import SalarySoFar
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import Input, MoneyOut, Output
from chalicelib.kernel.states import PayoutStatus


class CurrencyBalance(Output):
    """Where a person's money is, in one currency."""

    currency: str
    payable: MoneyOut = Field(description="owed to them and not on its way; negative: they owe it, and it is netted")
    advances_outstanding: MoneyOut = Field(description="had in advance for sales that are not decided")
    pending_earnings: MoneyOut = Field(description="what sales that are not decided will bring if approved")
    in_flight: MoneyOut = Field(description="on its way to them, or held for approval")
    paid_total: MoneyOut = Field(description="arrived, ever")


class PersonBalance(CurrencyBalance):
    """What a person has earned of their salary, and where their money is, in the tenant's currency and others."""

    salary: SalarySoFar | None = Field(description="their latest computed pay period; null where there is none")
    other_currencies: list[CurrencyBalance]


class StatementQuery(Input):
    """From which day to which, both included, in the tenant's time zone."""

    from_: Day | None = Field(None, alias="from", description="unless said, the first day of the month that `to` is in")
    to: Day | None = Field(None, description="unless said, the last day of the current month")
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before")


class AccountsStanding(Output):
    """A person's two accounts at one moment."""

    payable: MoneyOut = Field(description="owed to them; negative: they owe")
    advances: MoneyOut = Field(description="had in advance for sales that were not decided")


class Concern(Output):
    """What a line is about: a sale with its brand and your id, a payslip, or a payout with its present status."""

    kind: Literal["sale", "payslip", "payout", "other"]
    id: UUID
    brand: str | None = None
    external_id: str | None = None
    status: PayoutStatus | None = None


class StatementLine(Output):
    """One line of the ledger, as the person sees it."""

    at: datetime
    event: str
    concerns: Concern
    debit: str
    credit: str
    amount: MoneyOut = Field(description="what it adds to what they are owed; 0 where it only settles an advance")
    advance_amount: MoneyOut = Field(description="what it adds to their advances; negative: settles")
    payable_after: MoneyOut
    advances_after: MoneyOut


class CurrencyStatement(Output):
    """One currency's part of a statement: closing = opening + the sum of all its lines, on whichever pages they are."""

    currency: str
    opening: AccountsStanding
    closing: AccountsStanding
    lines: list[StatementLine]


class EmployeeStatement(Output):
    """A person's lines in the order of booking. On each page, opening and closing are those of all the days asked for.

    The closing of one statement is the opening of the next. A line booked while somebody pages through changes the
    closing of later pages and stands on the last one.
    """

    user_id: UUID
    from_: date = Field(serialization_alias="from")
    to: date
    currencies: list[CurrencyStatement] = Field(description="the tenant's own first; it is always there")
    next_cursor: str | None
