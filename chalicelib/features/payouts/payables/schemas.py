"""What comes in and goes out about what people are owed."""

from uuid import UUID

from pydantic import Field

from chalicelib.entry.paging import PageQuery
from chalicelib.kernel.schema import Currency, MoneyOut, Output


class PayableQuery(PageQuery):
    """Who is owed."""

    user_id: UUID | None = None
    currency: Currency | None = None
    because: str | None = Field(None, max_length=40, description="only those of whom something waits for this reason")


class Payee(Output):
    """Who is paid."""

    id: UUID
    name: str
    employee_no: str | None


class PayablePart(Output):
    """A part of what a person is owed, or of what is in flight to them, and what it waits for."""

    because: str = Field(
        description="of what is owed: no_bank_account, destination_held (bank details changed and nobody confirmed"
        " them yet), below_minimum, payouts_disabled, run_not_paid (POST"
        " /payroll-runs/{id}/pay pays it), refused, returned or rejected (likewise, again), next_run (the next run of"
        " payouts pays it) or netted (the person owes us this; the amount is below 0); of what is in flight: held"
        " (waits for approval), waits_for_confirmation, waits_for_bank_file, on_its_way or in_review"
    )
    amount: MoneyOut
    payroll_run_id: UUID | None = Field(description="the run whose payslip it is")
    payout_id: UUID | None = Field(description="of what is in flight: the payout")


class Payable(Output):
    """What one person is owed in one currency."""

    user: Payee
    currency: str
    owed: MoneyOut = Field(description="payable and not on its way; below 0: they owe us")
    in_flight: MoneyOut = Field(description="in payouts that are not paid yet")
    parts: list[PayablePart] = Field(description="they sum to owed and in_flight together")
