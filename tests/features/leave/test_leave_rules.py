"""Leave as pure functions: whose days are taken, beside the slow way of trying every choice."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.features.leave.rules import (
    HalfOfDay,
    LeaveSpan,
    OpenAllocation,
    end_of_year_from,
    select_counted,
    take_halves,
)
from chalicelib.kernel.halves import Half

FIRST = date(2026, 1, 4)
A, B = UUID(int=1), UUID(int=2)


def on(number: int) -> date:
    return FIRST + timedelta(days=number)


def whole(*numbers: int) -> list[HalfOfDay]:
    return [(on(number), half) for number in numbers for half in (Half.FIRST, Half.SECOND)]


allocations_left = st.lists(
    st.builds(
        lambda opens, lasts, days: OpenAllocation(
            UUID(int=0), on(opens), None if lasts is None else on(opens + lasts), days
        ),
        st.integers(0, 4),
        st.none() | st.integers(0, 4),
        st.sampled_from([Decimal(n) / 2 for n in range(6)]),
    ),
    max_size=3,
).map(lambda found: [OpenAllocation(UUID(int=n), p.starts_on, p.expires_on, p.free) for n, p in enumerate(found)])
halves = st.sets(st.tuples(st.integers(0, 6).map(on), st.sampled_from(Half)), max_size=8).map(sorted)


def most_served(wanted: list[HalfOfDay], found: list[OpenAllocation]) -> int:
    """Count the halves that can be served at best, by trying every purse for each."""

    def best(left: list[HalfOfDay], days: tuple[Decimal, ...]) -> int:
        if not left:
            return 0
        (day, _), rest = left[0], left[1:]
        counts = [best(rest, days)]
        for place, allocation_left in enumerate(found):
            if allocation_left.starts_on <= day <= (allocation_left.expires_on or date.max) and days[place] > 0:
                counts.append(1 + best(rest, (*days[:place], days[place] - Decimal("0.5"), *days[place + 1 :])))
        return max(counts)

    return best(wanted, tuple(allocation_left.free for allocation_left in found))


def days_from(taken: dict[HalfOfDay, UUID]) -> dict[UUID, Decimal]:
    """Return the days taken from each allocation."""
    return {chosen: Decimal(count) / 2 for chosen, count in Counter(taken.values()).items()}


class TestTake:
    @given(halves, allocations_left)
    def test_serves_as_many_halves_as_any_choice_would(
        self, wanted: list[HalfOfDay], found: list[OpenAllocation]
    ) -> None:
        taken, lacking = take_halves(wanted, found)
        assert len(lacking) == len(wanted) - most_served(wanted, found)
        assert sorted([*taken, *lacking]) == wanted
        assert all(
            days_from(taken).get(allocation_left.allocation_id, 0) <= allocation_left.free for allocation_left in found
        )

    def test_takes_what_expires_first_and_what_never_does_last(self) -> None:
        found = [OpenAllocation(A, on(0), None, Decimal(5)), OpenAllocation(B, on(0), on(1), Decimal("1.5"))]
        taken, lacking = take_halves(whole(0, 1, 2), found)
        assert (days_from(taken), lacking) == ({B: Decimal("1.5"), A: Decimal("1.5")}, [])

    def test_says_what_is_lacking(self) -> None:
        found = [OpenAllocation(A, on(0), on(0), Decimal(5))]
        taken, lacking = take_halves(whole(0, 1), found)
        assert (days_from(taken), lacking) == ({A: Decimal(1)}, whole(1))

    @given(st.integers(1, 6), allocations_left)
    def test_always_keeps_what_is_held(self, days: int, found: list[OpenAllocation]) -> None:
        # even where no purse serves the days any more
        mine = OpenAllocation(UUID(int=9), on(20), on(20), Decimal(0), reserved=Decimal(days))
        _, lacking = take_halves(whole(*range(days)), [*found, mine])
        assert lacking == []


class TestSpan:
    def test_lists_its_halves_in_order(self) -> None:
        span = LeaveSpan(on(0), Half.SECOND, on(1), Half.FIRST)
        assert span.halves() == [(on(0), Half.SECOND), (on(1), Half.FIRST)]
        assert str(span) == "from 2026-01-04 (second half) to 2026-01-05 (first half)"

    def test_is_counted_where_the_calendar_wants_work(self) -> None:
        span = LeaveSpan(on(0), Half.FIRST, on(3), Half.SECOND)
        assert select_counted(span, {on(0): 2, on(1): 1, on(2): 0, on(3): 3}) == [
            (on(0), Half.FIRST),
            (on(1), Half.SECOND),
            *whole(3),
        ]

    def test_knows_what_lies_within(self) -> None:
        span = LeaveSpan(on(0), Half.SECOND, on(3), Half.FIRST)
        assert LeaveSpan(on(1), Half.FIRST, on(3), Half.FIRST).is_within(span)
        assert not LeaveSpan(on(0), Half.FIRST, on(3), Half.FIRST).is_within(span)
        assert not LeaveSpan(on(1), Half.FIRST, on(3), Half.SECOND).is_within(span)


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-01-01", "2026-12-31"), ("2026-07-01", "2027-06-30"), ("2028-02-29", "2029-02-28"),
     ("2027-03-01", "2028-02-29")],
)  # fmt: skip
def test_a_year_ends_on_the_day_before_its_next(start: str, end: str) -> None:
    assert end_of_year_from(date.fromisoformat(start)) == date.fromisoformat(end)
