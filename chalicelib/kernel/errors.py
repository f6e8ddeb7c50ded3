"""Faults: errors that a caller can understand and correct.

Entry points turn a fault's kind into an HTTP status or, for a message, into "done, do not retry".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Place:
    """Where the input is wrong (a JSON pointer, or a name with its line), and what to do about it."""

    pointer: str
    detail: str


class Fault(Exception):
    """An error that the caller can understand and correct; `kind` names it in problem documents and logs."""

    kind = "fault"
    title = "The request cannot be done"
    wait: int | None = None  # seconds until another attempt makes sense (Retry-After), if it does
    more: Mapping[str, str] = MappingProxyType({})  # extension members, so that programs need not parse the detail

    def __init__(self, detail: str, places: Sequence[Place] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.places = tuple(places)


class Unreadable(Fault):
    kind = "unreadable"
    title = "The request cannot be read"


class Invalid(Fault):
    kind = "invalid"
    title = "The request is readable but wrong"


class Unauthenticated(Fault):
    kind = "unauthenticated"
    title = "Who is calling is not known"
    challenge = 'Bearer realm="wagebook"'  # of WWW-Authenticate; no registered scheme is "X-API-Key"


class WrongKey(Unauthenticated):
    pass


class InvalidToken(Unauthenticated):
    challenge = 'Bearer realm="wagebook", error="invalid_token"'  # RFC 6750, section 3


class Forbidden(Fault):
    kind = "forbidden"
    title = "Not permitted for this role"


class Suspended(Forbidden):
    kind = "tenant-suspended"
    title = "The tenant is suspended"


class Misdirected(Fault):
    kind = "misdirected"
    title = "The tenant lives in another cell"

    def __init__(self, cell: str) -> None:
        super().__init__(f"This tenant lives in the cell {cell}; send its requests there.")
        self.more = {"cell": cell}


class NotFound(Fault):
    kind = "not-found"
    title = "Not there, or not yours"


class Conflict(Fault):
    kind = "conflict"
    title = "The present state does not allow this"


class PeriodLocked(Conflict):
    kind = "period-locked"
    title = "The pay period is locked"


class AlreadyDecided(Conflict):
    kind = "already-decided"
    title = "This was decided before"


class BalanceTooLow(Conflict):
    kind = "balance-too-low"
    title = "There are not enough days left"


class Stale(Fault):
    kind = "stale-version"
    title = "Somebody changed it in the meantime"


class TooLarge(Fault):
    kind = "too-large"
    title = "More than can be taken at once"


class Busy(Fault):
    kind = "busy"
    title = "Not now; try again shortly"
    wait = 1


class TooMany(Fault):
    kind = "too-many-requests"
    title = "More requests than the tenant may make"

    def __init__(self, detail: str, *, wait: int) -> None:
        super().__init__(detail)
        self.wait = wait


def invalid(pointer: str, detail: str) -> Invalid:
    """Make the error for one wrong input field."""
    return Invalid(detail, [Place(pointer, detail)])
