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


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


S = TypeVar("S", bound=StrEnum)


def check_move(moves: Mapping[S, frozenset[S]], *, now: S, to: S, what: str) -> None:
    """This will refuse a move that the table does not allow, saying which moves there are."""
    if to not in moves[now]:
        allowed = ", ".join(sorted(moves[now])) or "nothing"
        raise AlreadyDecided(f"This {what} is {now}; from there it can become {allowed}, not {to}.")
