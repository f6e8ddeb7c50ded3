"""What comes in and goes out about payouts."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.entry.paging import PageQuery
from chalicelib.features.people.destinations.rules import DestinationKind
from chalicelib.kernel.policy import PayoutProvider
from chalicelib.kernel.schema import UNSET, Input, MoneyOut, Output, Reason, Text
from chalicelib.kernel.states import PayoutStatus

MOST_NAMED = 1000  # people that one request may name


class PayoutQuery(PageQuery):
    """Which payouts; those that need a person are `status=review`, those that need approval `status=held`."""

    status: PayoutStatus | None = None
    user_id: UUID | None = None
    provider: PayoutProvider | None = Field(None, description="manual: those that somebody hands over and confirms")


class RunRequest(Input):
    """Whom to pay; everybody if left out."""

    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_NAMED)] = UNSET


class PayoutDestination(Output):
    """The bank details that a payout goes to, masked."""

    kind: DestinationKind
    holder: str | None
    masked: str
    changed_at: datetime | None = Field(description="since when the person's payouts go there")


class BankWord(Output):
    """What the bank said last of a payout, by the bank's own time; what it found out about the name is kept beside."""

    source: str = Field(description="pain.002, camt.053, camt.054, or rows (as a person wrote them)")
    report: str | None = Field(description="the report's own id")
    at: datetime = Field(description="when the bank made the report")
    status: str = Field(description="ACSP, ACSC, RJCT ...; BOOK or PDNG of a statement; paid, failed, returned of rows")
    reasons: list[str] = Field(description="its codes, as AC04")
    meanings: list[str] = Field(description="of the codes, as far as they are on ISO 20022's list")
    text: str | None = Field(description="in the bank's own words")
    fee: MoneyOut | None = Field(None, description="what the bank kept of it or added to it")
    name_check: Literal["match", "close_match", "no_match", "not_possible"] | None = Field(
        None, description="what the bank found when it compared the payee's name with the account's"
    )
    name_text: str | None = Field(None, description="in the bank's own words: often the name it knows")


class Payout(Output):
    """One payment to one person."""

    id: UUID
    user_id: UUID
    amount: MoneyOut
    currency: str
    status: PayoutStatus
    kind: str = Field(
        description="advance, final, payroll, retry or matched (found in the provider's list): what made it"
    )
    payroll_run_id: UUID | None = Field(description="the payroll run whose payslip it pays, and nothing else")
    payslip_id: UUID | None
    job_id: UUID | None = Field(description="the run that made it")
    provider: str
    reference: str = Field(description="ours; the provider knows it by this")
    provider_reference: str | None = Field(description="theirs")
    problem: str | None = Field(description="why it failed, came back or needs a person")
    batch_id: UUID | None
    destination: PayoutDestination | None = Field(description="null: there were none")
    bank: BankWord | None = Field(None, description="the bank's last word on it, where it is in a bank file")
    prepared_by: str
    approved_by: str | None
    may_approve: bool = Field(description="whether you may approve it now")
    because: str | None = Field(description="why you may not approve it")
    created_at: datetime
    settled_at: datetime | None


class PayoutLine(Output):
    """Something that the payout pays; negative where it nets what the person owed."""

    subject_id: UUID = Field(description="the sale, the payslip, or the earlier payout that gave its money back")
    event: str
    amount: MoneyOut
    booked_at: datetime


class PayoutAttempt(Output):
    """One time that the provider was sent the payout or asked about it; `outcome` is null while nobody knows."""

    number: int
    what: Literal["sent", "asked"]
    started_at: datetime
    ended_at: datetime | None
    outcome: PayoutStatus | None
    detail: str | None


class PayoutEvent(Output):
    """One thing that happened to the payout; `status` is what it was afterwards."""

    at: datetime
    what: str
    status: PayoutStatus
    detail: str | None
    actor: str


class LedgerLine(Output):
    """One line in double entry."""

    event: str
    debit: str
    credit: str
    amount: MoneyOut
    currency: str
    booked_at: datetime


class WholePayout(Payout):
    """A payout with what it pays (the lines sum to its amount), how it went, and what was booked for it."""

    lines: list[PayoutLine]
    attempts: list[PayoutAttempt]
    events: list[PayoutEvent]
    ledger: list[LedgerLine]


class Confirmation(Input):
    """How it is known that a payout was handed over."""

    reference: Text = Field(description="of the receipt, the cheque or the transfer", examples=["receipt 2026-0147"])


class Return(Input):
    """Why a payout that had been paid came back."""

    reason: Reason = "returned by the bank"


class Rejection(Input):
    """Why a held payout is not approved."""

    reason: Reason


class Resolution(Input):
    """What a person found out about a payout in review."""

    outcome: Literal[PayoutStatus.PAID, PayoutStatus.FAILED]
    reason: Reason
    provider_reference: Text | None = None
