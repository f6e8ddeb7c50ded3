"""State machines as data: an enum of states, a table of allowed moves, one function that checks a move.

The docstrings of the states that clients see are descriptions in the API document, which stays as it is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from chalicelib.kernel.errors import AlreadyDecided


class RequestStatus(StrEnum):
    """What becomes of something a person asks for: on-duty, overtime."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


REQUEST_MOVES: Mapping[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.PENDING: frozenset({RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.CANCELLED}),
    RequestStatus.APPROVED: frozenset({RequestStatus.CANCELLED}),
    RequestStatus.REJECTED: frozenset(),
    RequestStatus.CANCELLED: frozenset(),
}


class PeriodStatus(StrEnum):
    OPEN = "open"
    LOCKED = "locked"
    PAID = "paid"


class SubmissionStatus(StrEnum):
    """Where a filled-in form is; who submitted it may change it only while it is a draft."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    APPROVED = "approved"
    REJECTED = "rejected"


SUBMISSION_MOVES: Mapping[SubmissionStatus, frozenset[SubmissionStatus]] = {
    SubmissionStatus.DRAFT: frozenset({SubmissionStatus.SUBMITTED}),
    SubmissionStatus.SUBMITTED: frozenset(
        {SubmissionStatus.UNDER_REVIEW, SubmissionStatus.APPROVED, SubmissionStatus.REJECTED}
    ),
    SubmissionStatus.UNDER_REVIEW: frozenset({SubmissionStatus.APPROVED, SubmissionStatus.REJECTED}),
    SubmissionStatus.APPROVED: frozenset(),
    SubmissionStatus.REJECTED: frozenset(),
}


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class SaleStatus(StrEnum):
    """What became of a sale; a decision may be corrected, and is then another decision."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"


class PayoutStatus(StrEnum):
    """Where a person's money is."""

    HELD = "held"  # awaiting approval by a second person
    CANCELLED = "cancelled"  # not approved: the money is back in payable
    QUEUED = "queued"  # not sent yet
    SENDING = (
        "sending"  # claimed by a worker, which may have sent it: only that worker may move it until its lease ends
    )
    UNKNOWN = "unknown"  # it may have been paid; the provider is asked
    REVIEW = "review"  # the provider could not tell; a person decides
    PAID = "paid"
    FAILED = "failed"  # refused for good: the money is back in payable
    RETURNED = "returned"  # returned by the bank: the money is back in payable


PAYOUT_MOVES: Mapping[PayoutStatus, frozenset[PayoutStatus]] = {
    PayoutStatus.HELD: frozenset({PayoutStatus.QUEUED, PayoutStatus.CANCELLED}),
    PayoutStatus.CANCELLED: frozenset(),
    PayoutStatus.QUEUED: frozenset({PayoutStatus.SENDING}),
    PayoutStatus.SENDING: frozenset(
        {
            PayoutStatus.QUEUED,  # certainly not sent
            PayoutStatus.PAID,
            PayoutStatus.FAILED,
            PayoutStatus.UNKNOWN,
            PayoutStatus.REVIEW,
        }
    ),
    PayoutStatus.UNKNOWN: frozenset(
        {PayoutStatus.SENDING, PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.REVIEW}
    ),
    PayoutStatus.REVIEW: frozenset({PayoutStatus.PAID, PayoutStatus.FAILED}),
    PayoutStatus.PAID: frozenset({PayoutStatus.RETURNED}),
    PayoutStatus.FAILED: frozenset(),
    PayoutStatus.RETURNED: frozenset(),
}
IN_FLIGHT = frozenset(
    {PayoutStatus.HELD, PayoutStatus.QUEUED, PayoutStatus.SENDING, PayoutStatus.UNKNOWN, PayoutStatus.REVIEW}
)


class PayrollStatus(StrEnum):
    """Where a payroll run is; whatever is approved stays as it is."""

    DRAFT = "draft"
    CALCULATED = "calculated"
    APPROVED = "approved"  # its period is locked, and its payslips are posted to the ledger, or being posted
    PARTLY_PAID = "partly_paid"  # being paid; the run lists who was not reached, and why
    PAID = "paid"  # every payslip is paid
    CANCELLED = "cancelled"


PAYROLL_MOVES: Mapping[PayrollStatus, frozenset[PayrollStatus]] = {
    PayrollStatus.DRAFT: frozenset({PayrollStatus.CALCULATED, PayrollStatus.CANCELLED}),
    PayrollStatus.CALCULATED: frozenset(
        {PayrollStatus.DRAFT, PayrollStatus.CALCULATED, PayrollStatus.APPROVED, PayrollStatus.CANCELLED}
    ),
    PayrollStatus.APPROVED: frozenset({PayrollStatus.PARTLY_PAID}),
    PayrollStatus.PARTLY_PAID: frozenset({PayrollStatus.PARTLY_PAID, PayrollStatus.PAID}),
    PayrollStatus.PAID: frozenset({PayrollStatus.PARTLY_PAID}),  # where money came back
    PayrollStatus.CANCELLED: frozenset(),
}
FIXED_PAYROLL = frozenset({PayrollStatus.APPROVED, PayrollStatus.PARTLY_PAID, PayrollStatus.PAID})


S = TypeVar("S", bound=StrEnum)


def check_move(moves: Mapping[S, frozenset[S]], *, now: S, to: S, what: str) -> None:
    """Check that the table allows a move. Raises AlreadyDecided, which names the allowed moves."""
    if to not in moves[now]:
        allowed = ", ".join(sorted(moves[now])) or "nothing"
        raise AlreadyDecided(f"This {what} is {now}; from there it can become {allowed}, not {to}.")
