"""States as data: an enum, a table of allowed moves, one function that checks a move."""

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

    HELD = "held"  # waits for somebody else's approval
    CANCELLED = "cancelled"  # not approved: the money is back in payable
    QUEUED = "queued"  # nobody has sent it yet
    SENDING = "sending"  # somebody may have: until its lease ends, only they may say
    UNKNOWN = "unknown"  # it may have been paid; the provider is asked
    REVIEW = "review"  # nobody could say; a person decides
    PAID = "paid"
    FAILED = "failed"  # refused for good: the money is back in payable
    RETURNED = "returned"  # came back from the bank: likewise


PAYOUT_MOVES: Mapping[PayoutStatus, frozenset[PayoutStatus]] = {
    PayoutStatus.HELD: frozenset({PayoutStatus.QUEUED, PayoutStatus.CANCELLED}),
    PayoutStatus.CANCELLED: frozenset(),
    PayoutStatus.QUEUED: frozenset({PayoutStatus.SENDING}),
    PayoutStatus.SENDING: frozenset(
        {
            PayoutStatus.QUEUED,  # certainly not sent, by anybody
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
    APPROVED = "approved"  # its period is locked, and its payslips are or are being booked
    PARTLY_PAID = "partly_paid"  # being paid; of whom it did not reach, the run tells why
    PAID = "paid"  # every payslip of it is
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
    """Refuse a move that the table does not allow, saying which moves there are."""
    if to not in moves[now]:
        allowed = ", ".join(sorted(moves[now])) or "nothing"
        raise AlreadyDecided(f"This {what} is {now}; from there it can become {allowed}, not {to}.")
