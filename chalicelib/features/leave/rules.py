"""Leave as pure functions: which halves a request is about, and whose days they are taken from.

Here a half is (day, Half); days are counted in Decimals, halves in integers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from chalicelib.kernel.halves import Half

BITS = {Half.FIRST: 2, Half.SECOND: 1}  # as `open_to_leave` returns them
HALF_DAY = Decimal("0.5")
MOST_DAYS = 366  # of one request
LONGEST_CYCLE = 3660  # days

HalfOfDay = tuple[date, Half]


class Bucket(StrEnum):
    """What an entry of the leave ledger adds to, or takes from."""

    ALLOCATED = "allocated"
    CARRIED = "carried"
    PENDING = "pending"
    USED = "used"
    LAPSED = "lapsed"
    ENCASHED = "encashed"
    TRANSFERRED = "transferred"


class LedgerPlace(NamedTuple):
    """Where an entry of the leave ledger stands: an allocation, a bucket of it, and the day that it concerns."""

    allocation_id: UUID
    bucket: Bucket
    day: date


@dataclass(frozen=True, slots=True)
class LeaveSpan:
    """From a half of the first day to a half of the last, both included."""

    start_on: date
    start_half: Half
    end_on: date
    end_half: Half

    @property
    def begins(self) -> tuple[date, str]:
        return self.start_on, self.start_half

    @property
    def ends(self) -> tuple[date, str]:
        return self.end_on, self.end_half

    @property
    def days(self) -> list[date]:
        return [self.start_on + timedelta(days=n) for n in range((self.end_on - self.start_on).days + 1)]

    def is_within(self, other: "LeaveSpan") -> bool:
        """Return whether every half of this is one of the other's."""
        return other.begins <= self.begins and self.ends <= other.ends

    def halves(self) -> list[HalfOfDay]:
        """List every half, in order."""
        return [
            (day, half)
            for day in self.days
            for half in (Half.FIRST, Half.SECOND)
            if self.begins <= (day, half) <= self.ends
        ]

    def __str__(self) -> str:
        """Return it as a sentence does, halves only where they are not the usual ones."""
        first = f"{self.start_on}" + (" (second half)" if self.start_half is Half.SECOND else "")
        last = f"{self.end_on}" + (" (first half)" if self.end_half is Half.FIRST else "")
        return f"from {first} to {last}"


@dataclass(frozen=True, slots=True)
class OpenAllocation:
    """An allocation as something that halves are taken from."""

    allocation_id: UUID
    opens_on: date
    expires_on: date | None  # the last day that may be taken from it; None: any day from its first
    free: Decimal  # days that nobody holds
    held: Decimal = Decimal(0)  # days that this very request holds already

    def serves(self, day: date) -> bool:
        return self.opens_on <= day and (self.expires_on is None or day <= self.expires_on)


def counted(span: LeaveSpan, bits: Mapping[date, int]) -> list[HalfOfDay]:
    """List the halves that use days up: those that the calendar wants worked."""
    return [(day, half) for day, half in span.halves() if bits.get(day, 0) & BITS[half]]


def days_of(halves: Sequence[HalfOfDay]) -> Decimal:
    """Count halves as days."""
    return len(halves) * HALF_DAY


def take(
    halves: Iterable[HalfOfDay], allocations_left: Iterable[OpenAllocation]
) -> tuple[dict[HalfOfDay, UUID], list[HalfOfDay]]:
    """Take each half from the allocation that expires first of those that serve its day.

    Returns the allocation of each half, and the halves that nothing was left for. In order of days that leaves none
    over which another choice would have served. What a request holds already stays its own, also where the rule has
    been changed since and the allocation no longer serves the day.
    """
    ordered = sorted(allocations_left, key=lambda p: (p.expires_on or date.max, p.opens_on, p.allocation_id))
    free = {allocation_left.allocation_id: int(allocation_left.free / HALF_DAY) for allocation_left in ordered}
    held = {allocation_left.allocation_id: int(allocation_left.held / HALF_DAY) for allocation_left in ordered}
    taken: dict[HalfOfDay, UUID] = {}
    lacking = []
    for day, half in sorted(halves):
        served = (p.allocation_id for p in ordered if p.serves(day) and free[p.allocation_id] + held[p.allocation_id])
        chosen = next(served, None) or next((id_ for id_, count in held.items() if count), None)
        if chosen is None:
            lacking.append((day, half))
            continue
        # of its own first: then what is free stays for others, and a change of mind moves nothing
        (held if held[chosen] else free)[chosen] -= 1
        taken[day, half] = chosen
    return taken, lacking


def kept(held: Mapping[LedgerPlace, Decimal], halves: Iterable[HalfOfDay]) -> dict[LedgerPlace, Decimal]:
    """Return what stays of the days that a request holds when only these of its halves go on using them up.

    A day that is used up less gives back what it took, last of its allocations first.
    """
    wanted: dict[date, Decimal] = {}
    for day, _ in halves:
        wanted[day] = wanted.get(day, Decimal(0)) + HALF_DAY
    stays = {}
    for place, days in sorted(held.items()):
        if left := min(days, wanted.get(place.day, Decimal(0))):
            stays[place] = left
            wanted[place.day] -= left
    return stays


def given_back(held: Mapping[LedgerPlace, Decimal], halves: Iterable[HalfOfDay]) -> dict[LedgerPlace, Decimal]:
    """Return what stays of the days that a request holds when these of its halves use nothing up any more."""
    stays = dict(held)
    for day, _ in halves:
        place = max((place for place in stays if place.day == day), default=None)
        if place is None:  # a half that nothing was left for, or one booked before entries had days
            continue
        stays[place] -= HALF_DAY
        if not stays[place]:
            del stays[place]
    return stays


def year_from(start: date) -> date:
    """Return the last day of the year that begins on a day."""
    try:
        return start.replace(year=start.year + 1) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(start.year + 1, 2, 28)
