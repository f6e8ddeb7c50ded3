"""What comes in and goes out about the payment of a run's payslips."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from chalicelib.entry.paging import PageQuery
from chalicelib.features.payouts.payables.schemas import Payee
from chalicelib.features.payroll.runs.schemas import PayrollRun, RunStarted
from chalicelib.kernel.schema import MoneyOut, Output


class PaymentStatus(StrEnum):
    """Where a payslip's money is."""

    PAID = "paid"
    IN_FLIGHT = "in_flight"
    NOT_PAID = "not_paid"


class PaymentQuery(PageQuery):
    """Which payslips."""

    status: PaymentStatus | None = None
    because: str | None = Field(None, max_length=40, description="only those for this reason")


class Payment(Output):
    """What became of one payslip's net."""

    payslip_id: UUID
    user: Payee
    currency: str
    net: MoneyOut
    status: PaymentStatus
    because: str | None = Field(
        description="of one that is not paid: no_bank_account, destination_held, refused, returned, rejected,"
        " payouts_disabled,"
        " not_booked_yet or run_not_paid (the run's pay is to be called, again); of one in flight: held,"
        " waits_for_confirmation, waits_for_bank_file, on_its_way or in_review; of one paid: nothing_to_pay (its net is"
        " not above 0), payable_already_used (all of it, or the part `netted`, went into what the person owed) or null"
    )
    detail: str | None = Field(description="what the bank or a person said of the last payout, where it did not arrive")
    paid: MoneyOut = Field(description="what arrived")
    netted: MoneyOut = Field(description="what was taken for debts of the person")
    payout_id: UUID | None = Field(description="the latest payout of it")


class RunPayment(Output):
    """How far the payment of a run is, in payslips; `unpaid` is the first 100 not paid, those that wait first."""

    paid: int
    in_flight: int
    not_paid: int
    unpaid: list[Payment] = Field(description="GET /payroll-runs/{id}/payments lists all of them")


class PaidRun(PayrollRun):
    """A payroll run with what became of its payslips."""

    payment: RunPayment | None = Field(description="null until the run is approved")


class PayStarted(RunStarted):
    """The job that makes the payouts, how the run stands, and who is not paid yet."""

    payment: RunPayment
