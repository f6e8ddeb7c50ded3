"""Make cases for Hypothesis, with few facts so that a failing one shrinks to a readable one.

Two leaves never share a half (rules.md section 8), and a half of a leave always has the nature of its type.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.model.chance import (
    LEAVE_TYPES,
    RATES,
    SHIFTS,
    TIMES,
    WRITTEN,
    Company,
    random_case,
    random_cases,
    random_company,
    without_strays,
)
from tests.model.facts import (
    FREQUENCIES,
    HALVES,
    AttendanceDay,
    Branch,
    Case,
    DayEdit,
    Employee,
    Facts,
    Frequency,
    Holiday,
    Leave,
    OnDuty,
    Overtime,
    Policy,
    RosterDay,
    Salary,
    Tenant,
)
from tests.model.workdays import period_of, shift_of

__all__ = ["Company", "cases", "random_case", "random_cases", "random_company", "without_strays"]

T = TypeVar("T")

weekends = st.sampled_from([frozenset(w) for w in ((5, 6), (6, 7), (7,), (), (1, 3, 5))])
halves = st.sampled_from(HALVES)

policies = st.builds(
    Policy,
    missing_attendance=st.sampled_from(("absent", "present")),
    full_day_minutes=st.sampled_from((540, 480)),
    half_day_minutes=st.sampled_from((None, 240)),
    proration_basis=st.sampled_from(("working_days", "calendar_days")),
    daily_paid_holidays=st.booleans(),
    weekly_rule=st.sampled_from(("any_day", "prorated")),
)
tenants = st.builds(
    Tenant,
    timezone=st.just("Asia/Dhaka"),
    weekend=weekends,
    week_start=st.sampled_from((6, 1, 2, 3, 4, 5, 7)),
    cycle_start_day=st.sampled_from((1, 26, 2, 28)) | st.integers(1, 28),
    minor_units=st.just(2),
    policy=policies,
)
branch_pairs = st.tuples(
    st.builds(Branch, st.just("north"), st.none() | weekends, st.booleans()),
    st.builds(Branch, st.just("south"), st.none() | weekends, st.booleans()),
)


@st.composite
def cases(draw: st.DrawFn, frequency: Frequency | None = None, strays: bool = False) -> Case:
    """Draw one employee, month and as-of date with any mix of facts around the period."""
    tenant, branches = draw(tenants), draw(branch_pairs)
    month = f"2026-{draw(st.integers(1, 12)):02d}"
    start, end = period_of(tenant, month)
    days = st.integers(-7, (end - start).days + 7).map(lambda n: start + timedelta(days=n))
    as_of = draw(st.just(end) | st.dates(start - timedelta(days=2), end + timedelta(days=9)))
    places = st.sampled_from((None, "north", "south"))
    holidays = draw(unique(st.builds(Holiday, days, st.none() | halves, places), 4, lambda h: (h.day, h.branch)))
    employee = draw(employees(days, branches, frequency))
    facts = draw(facts_of(days, employee, holidays, start, end))
    if not strays:
        facts = without_strays(employee, facts)
    return Case(tenant, branches, holidays, employee, facts, month, as_of)


def unique(items: st.SearchStrategy[T], most: int, key: Callable[[T], Any]) -> st.SearchStrategy[tuple[T, ...]]:
    """Draw a short tuple without two of the same key."""
    return st.lists(items, max_size=most, unique_by=key).map(tuple)


@st.composite
def employees(
    draw: st.DrawFn, days: st.SearchStrategy[date], branches: tuple[Branch, ...], frequency: Frequency | None
) -> Employee:
    """Draw joiners, leavers, raises and changes of frequency, often none of them."""
    long_ago = date(2025, 1, 1)
    joined = draw(st.just(long_ago) | days)
    left = draw(st.none() | days.filter(lambda day: day >= joined))
    starts = draw(st.lists(st.just(long_ago) | days, min_size=1, max_size=3, unique=True))
    salaries = []
    for effective_from in starts:
        pay = draw(st.sampled_from(FREQUENCIES)) if frequency is None else frequency
        rate = Decimal(draw(st.sampled_from(RATES[pay])))
        salaries.append(Salary(rate, pay, effective_from))
    shift = draw(st.sampled_from((None, *SHIFTS)))
    return Employee(joined, left, draw(st.sampled_from((None, *branches))), shift, tuple(salaries))


@st.composite
def facts_of(
    draw: st.DrawFn,
    days: st.SearchStrategy[date],
    employee: Employee,
    holidays: tuple[Holiday, ...],
    start: date,
    end: date,
) -> Facts:
    """Draw a few facts of each kind, over a background of full presence or of nothing."""
    roster = draw(
        unique(
            st.builds(
                RosterDay,
                days,
                st.sampled_from((None, *SHIFTS)),
                st.sampled_from((None, "first", "second", "full")),
                st.booleans(),
            ),
            3,
            lambda row: row.day,
        )
    )
    has_middle = Facts(roster=roster)
    attendance = {}
    if draw(st.booleans()):
        day = start - timedelta(days=7)
        while day <= end:
            attendance[day] = AttendanceDay(day, "present")
            day = day + timedelta(days=1)
    for record in draw(unique(attendance_days(days), 5, lambda record: record.day)):
        if record.checked_in_after_middle and shift_of(employee, has_middle, record.day) is None:
            continue
        attendance[record.day] = record
    leaves = [
        Leave(day, half, *LEAVE_TYPES[name], name)
        for day, half, name in draw(
            unique(st.tuples(days, halves, st.sampled_from(tuple(LEAVE_TYPES))), 5, lambda drawn: drawn[:2])
        )
    ]
    duties = st.builds(
        lambda day, more, half: OnDuty(day, day + timedelta(days=more), half),
        days,
        st.integers(0, 3),
        st.none() | halves,
    )
    hours = st.sampled_from((Decimal("0.5"), Decimal("1.25"), Decimal(2)))
    return Facts(
        holidays,
        roster,
        tuple(attendance.values()),
        tuple(leaves),
        draw(st.lists(duties, max_size=2).map(tuple)),
        draw(st.lists(st.builds(Overtime, days, hours), max_size=3).map(tuple)),
        draw(unique(day_edits(days), 4, lambda edit: edit.day)),
    )


def attendance_days(days: st.SearchStrategy[date]) -> st.SearchStrategy[AttendanceDay]:
    """State a status, or give minutes around the limits of the policy, or neither."""
    late, early = st.sampled_from((0, 7)), st.sampled_from((0, 11))
    minutes = st.sampled_from((None, 0, 239, 240, 269, 270, 479, 480, 539, 540, 700))
    stated = st.builds(
        AttendanceDay,
        days,
        st.sampled_from(("present", "absent", "half_day")),
        late_minutes=late,
        early_out_minutes=early,
    )
    split = st.builds(AttendanceDay, days, st.just("half_day"), halves, late_minutes=late)
    timed = st.builds(AttendanceDay, days, st.none(), st.none(), minutes, st.booleans(), late, early)
    punched = st.builds(AttendanceDay, days, sessions=st.sampled_from(TIMES))
    return stated | split | timed | punched


def day_edits(days: st.SearchStrategy[date]) -> st.SearchStrategy[DayEdit]:
    """Write over any part of a day."""
    written = st.none() | st.sampled_from(WRITTEN)
    return st.builds(
        DayEdit,
        days,
        written,
        written,
        st.sampled_from((None, Decimal(0), Decimal("1.5"))),
        st.sampled_from((None, Decimal("0.5"), Decimal(1))),
        st.sampled_from((None, "seen")),
    )
