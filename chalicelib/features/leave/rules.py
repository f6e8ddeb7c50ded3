"""Leave as pure functions: the halves of a request, and the allocations that they are taken from.

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
MAX_REQUEST_DAYS = 366  # of one request
MAX_CYCLE_DAYS = 3660  # days

HalfOfDay = tuple[date, Half]


class Bucket(StrEnum):
    """The buckets of the leave ledger."""

    ALLOCATED = "allocated"
    CARRIED = "carried"
    PENDING = "pending"
    USED = "used"
    LAPSED = "lapsed"
    ENCASHED = "encashed"
    TRANSFERRED = "transferred"


class LedgerPlace(NamedTuple):
    """What an entry of the leave ledger is posted to: an allocation, a bucket, and the day it concerns."""

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
        """Describe the span; halves are named only where the day is not whole."""
        first = f"{self.start_on}" + (" (second half)" if self.start_half is Half.SECOND else "")
        last = f"{self.end_on}" + (" (first half)" if self.end_half is Half.FIRST else "")
        return f"from {first} to {last}"


@dataclass(frozen=True, slots=True)
class OpenAllocation:
    """An allocation that halves may be taken from."""

    allocation_id: UUID
    starts_on: date
    expires_on: date | None  # the last day that may be taken from it; None: any day from its first
    free: Decimal  # days that are not reserved or used
    reserved: Decimal = Decimal(0)  # days that this request has reserved already

    def serves(self, day: date) -> bool:
        return self.starts_on <= day and (self.expires_on is None or day <= self.expires_on)


def select_counted(span: LeaveSpan, bits: Mapping[date, int]) -> list[HalfOfDay]:
    """Return the halves that use up days: those that are working time by the calendar."""
    return [(day, half) for day, half in span.halves() if bits.get(day, 0) & BITS[half]]


def count_days(halves: Sequence[HalfOfDay]) -> Decimal:
    """Count halves as days."""
    return len(halves) * HALF_DAY


def take_halves(
    halves: Iterable[HalfOfDay], allocations: Iterable[OpenAllocation]
) -> tuple[dict[HalfOfDay, UUID], list[HalfOfDay]]:
    """Take each half from the allocation that expires first of those that serve its day.

    Returns the allocation of each half, and the halves that no days were left for. Going by day, no other choice would
    serve more. Days that a request has reserved stay its own, also where the allocation no longer serves the day
    because its expiry rule changed.
    """
    ordered = sorted(allocations, key=lambda p: (p.expires_on or date.max, p.starts_on, p.allocation_id))
    free = {allocation.allocation_id: int(allocation.free / HALF_DAY) for allocation in ordered}
    reserved = {allocation.allocation_id: int(allocation.reserved / HALF_DAY) for allocation in ordered}
    taken: dict[HalfOfDay, UUID] = {}
    lacking = []
    for day, half in sorted(halves):
        served = (
            p.allocation_id for p in ordered if p.serves(day) and free[p.allocation_id] + reserved[p.allocation_id]
        )
        chosen = next(served, None) or next((id_ for id_, count in reserved.items() if count), None)
        if chosen is None:
            lacking.append((day, half))
            continue
        # its own reserved days first: free ones stay for others, and an unchanged request moves nothing
        (reserved if reserved[chosen] else free)[chosen] -= 1
        taken[day, half] = chosen
    return taken, lacking


def keep_halves(reserved: Mapping[LedgerPlace, Decimal], halves: Iterable[HalfOfDay]) -> dict[LedgerPlace, Decimal]:
    """Return what stays of a request's days when only these of its halves use up days.

    A day that uses less returns the rest, to the last of its allocations first.
    """
    counted_days: dict[date, Decimal] = {}
    for day, _ in halves:
        counted_days[day] = counted_days.get(day, Decimal(0)) + HALF_DAY
    stays = {}
    for place, days in sorted(reserved.items()):
        if left := min(days, counted_days.get(place.day, Decimal(0))):
            stays[place] = left
            counted_days[place.day] -= left
    return stays


def return_halves(reserved: Mapping[LedgerPlace, Decimal], halves: Iterable[HalfOfDay]) -> dict[LedgerPlace, Decimal]:
    """Return what stays of a request's days when these of its halves no longer use up days."""
    stays = dict(reserved)
    for day, _ in halves:
        place = max((place for place in stays if place.day == day), default=None)
        if place is None:  # an unpaid half, or one posted before entries had days
            continue
        stays[place] -= HALF_DAY
        if not stays[place]:
            del stays[place]
    return stays


def end_of_year_from(start: date) -> date:
    """Return the last day of the year that begins on a day."""
    try:
        return start.replace(year=start.year + 1) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(start.year + 1, 2, 28)
