"""Prove the model itself: the worked numbers of rules.md sections 2 to 5, and laws over any case."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model.earned import Line, earned, lines_sum, round_half_up, week_of
from tests.model.facts import (
    AttendanceDay,
    Case,
    DayEdit,
    Employee,
    Facts,
    HalfEdit,
    Holiday,
    Leave,
    OnDuty,
    Policy,
    Salary,
    Shift,
    Status,
    Tenant,
)
from tests.model.generate import cases, random_cases, without_strays
from tests.model.register import DayRow, period_of, register, row_of, totals
from tests.model.workdays import days_between, is_working, salary_on

quick = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
FRIDAY_SATURDAY = Tenant(weekend=frozenset({5, 6}))
SATURDAY_SUNDAY = Tenant(weekend=frozenset({6, 7}))
LONG_AGO = date(2020, 1, 1)


def january(day: int) -> date:
    return date(2026, 1, day)


def paid(amount: str, frequency: str, since: date = LONG_AGO) -> Salary:
    return Salary(Decimal(amount), frequency, since)  # type: ignore[arg-type]


def present(days: list[date], but: tuple[date, ...] = ()) -> Facts:
    return Facts(attendance=tuple(AttendanceDay(day, "present") for day in days if day not in but))


def whole_january(*but: int) -> Facts:
    return present(days_between(january(1), january(31)), tuple(january(n) for n in but))


def edited(day: int, status: Status) -> Facts:
    return Facts(edits=(DayEdit(january(day), HalfEdit(status), HalfEdit(status)),))


def amount_of(tenant: Tenant, employee: Employee, facts: Facts, as_of: date | None = None) -> Decimal:
    return lines_sum(earned(tenant, employee, facts, "2026-01", as_of or january(31)))


def with_policy(tenant: Tenant, **switches: object) -> Tenant:
    return replace(tenant, policy=Policy(**switches))  # type: ignore[arg-type]


class TestPeriod:
    @pytest.mark.parametrize(
        ("cut", "month", "start", "end"),
        [
            (1, "2026-01", date(2026, 1, 1), date(2026, 1, 31)),
            (1, "2026-12", date(2026, 12, 1), date(2026, 12, 31)),
            (26, "2026-02", date(2026, 1, 26), date(2026, 2, 25)),
            (26, "2026-01", date(2025, 12, 26), date(2026, 1, 25)),
            (2, "2024-03", date(2024, 2, 2), date(2024, 3, 1)),
            (28, "2026-03", date(2026, 2, 28), date(2026, 3, 27)),
        ],
    )
    def test_runs_from_the_cycle_day(self, cut: int, month: str, start: date, end: date) -> None:
        assert period_of(Tenant(cycle_start_day=cut), month) == (start, end)

    @given(cut=st.integers(1, 28), month=st.integers(1, 11))
    def test_joins_the_next_period_without_gap_or_overlap(self, cut: int, month: int) -> None:
        tenant = Tenant(cycle_start_day=cut)
        _, end = period_of(tenant, f"2026-{month:02d}")
        start, _ = period_of(tenant, f"2026-{month + 1:02d}")
        assert start == end + timedelta(days=1)

    @pytest.mark.parametrize(("tenant", "days"), [(FRIDAY_SATURDAY, 21), (SATURDAY_SUNDAY, 22)])
    def test_counts_the_working_days_of_january(self, tenant: Tenant, days: int) -> None:
        employee, facts = Employee(LONG_AGO), Facts()
        working = [
            day for day in days_between(january(1), january(31)) if is_working(tenant, employee, facts, day, "first")
        ]
        assert len(working) == days


class TestTotals:
    def test_count_the_example_of_seed_003(self) -> None:
        days = days_between(january(1), january(24))
        half = AttendanceDay(january(21), "half_day", "first")
        facts = Facts(
            attendance=(*present(days[:20]).attendance, half),
            leaves=tuple(Leave(january(n), h, "paid", False, "annual") for n in (22, 23) for h in ("first", "second")),
            on_duty=(OnDuty(january(24), january(24)),),
            edits=(DayEdit(january(24), extra_days=Decimal(1)),),
        )
        tenant = Tenant(weekend=frozenset())
        rows = register(tenant, Employee(LONG_AGO), facts, "2026-01", january(24))
        sums = totals(rows)
        assert sums["present_days"] == Decimal("21.5")
        assert sums["od_days"] == 1
        assert sums["payable_shifts"] == Decimal("24.5")
        assert sums["absent_days"] == Decimal("0.5")
        assert sums["leave_by_type"] == {"annual": 2}
        assert sums["blank_days"] == 7

    def test_keep_the_present_half_of_a_half_holiday(self) -> None:
        facts = replace(present([january(5)]), holidays=(Holiday(january(5), "second"),))
        row = row_of(FRIDAY_SATURDAY, Employee(LONG_AGO), facts, january(5), january(31))
        sums = totals({january(5): row})
        assert (sums["present_days"], sums["holidays"]) == (Decimal("0.5"), Decimal("0.5"))

    @pytest.mark.parametrize(("minutes", "days"), [(539, 0), (540, 1)])
    def test_need_nine_hours_to_the_minute(self, minutes: int, days: int) -> None:
        facts = Facts(attendance=(AttendanceDay(january(5), worked_minutes=minutes),))
        rows = register(FRIDAY_SATURDAY, Employee(LONG_AGO), facts, "2026-01", january(31))
        assert totals(rows)["present_days"] == days


class TestMonthly:
    pay = Employee(LONG_AGO, salaries=(paid("15000", "monthly"),))

    def test_takes_off_two_unpaid_days_of_22(self) -> None:
        assert amount_of(SATURDAY_SUNDAY, self.pay, whole_january(5, 6)) == Decimal("13636.36")

    def test_takes_off_two_unpaid_days_of_21(self) -> None:
        assert amount_of(FRIDAY_SATURDAY, self.pay, whole_january(5, 6)) == Decimal("13571.43")

    def test_pays_a_joiner_by_working_days(self) -> None:
        joiner = replace(self.pay, joined_on=january(12))
        assert amount_of(FRIDAY_SATURDAY, joiner, whole_january()) == Decimal("10000.00")

    def test_pays_a_joiner_by_calendar_days(self) -> None:
        joiner = replace(self.pay, joined_on=january(12))
        tenant = with_policy(FRIDAY_SATURDAY, proration_basis="calendar_days")
        assert amount_of(tenant, joiner, whole_january()) == Decimal("9677.42")

    def test_splits_a_raise_by_days(self) -> None:
        raised = Employee(LONG_AGO, salaries=(paid("15000", "monthly"), paid("18000", "monthly", january(16))))
        lines = earned(FRIDAY_SATURDAY, raised, whole_january(), "2026-01", january(31))
        assert [line.amount for line in lines] == [Decimal("7857.14"), Decimal("8571.43")]
        assert [line.quantity for line in lines] == [11, 10]
        assert lines_sum(lines) == Decimal("16428.57")

    def test_stops_at_the_as_of_date(self) -> None:
        assert amount_of(FRIDAY_SATURDAY, self.pay, whole_january(5), january(15)) == Decimal("7142.86")


class TestDaily:
    pay = Employee(LONG_AGO, salaries=(paid("500", "daily"),))

    def test_pays_twenty_days_and_a_half(self) -> None:
        half = AttendanceDay(january(29), "half_day")
        facts = whole_january(29)
        facts = replace(facts, attendance=(*facts.attendance, half))
        assert amount_of(FRIDAY_SATURDAY, self.pay, facts) == Decimal("10250.00")

    def test_pays_a_shift_by_its_units(self) -> None:
        long = replace(self.pay, shift=Shift("long", time(8), time(20), Decimal("1.5")))
        assert amount_of(FRIDAY_SATURDAY, long, present([january(5)])) == Decimal("750.00")


class TestWeekly:
    pay = Employee(LONG_AGO, salaries=(paid("3500", "weekly"),))

    def test_pays_four_weeks_of_five(self) -> None:
        facts = present([january(1), january(7), january(20), january(29)])
        assert amount_of(FRIDAY_SATURDAY, self.pay, facts) == Decimal("14000.00")

    def test_finds_five_weeks_in_january(self) -> None:
        assert amount_of(FRIDAY_SATURDAY, self.pay, whole_january()) == Decimal("17500.00")

    def test_pays_a_week_only_when_it_is_over(self) -> None:
        assert amount_of(FRIDAY_SATURDAY, self.pay, whole_january(), january(8)) == Decimal("3500.00")
        assert amount_of(FRIDAY_SATURDAY, self.pay, whole_january(), january(9)) == Decimal("7000.00")

    def test_counts_the_days_before_the_period(self) -> None:
        facts = present([date(2025, 12, 28)])
        assert amount_of(FRIDAY_SATURDAY, self.pay, facts) == Decimal("3500.00")

    def test_prorates_by_the_working_halves_of_the_whole_week(self) -> None:
        tenant = with_policy(FRIDAY_SATURDAY, weekly_rule="prorated")
        assert amount_of(tenant, self.pay, present([january(4), january(5)])) == Decimal("1400.00")


class TestSilence:
    """What rules.md leaves open and the model decides; the generators avoid these unless asked for strays."""

    joiner = Employee(january(5), salaries=(paid("3100", "monthly", LONG_AGO),))

    @pytest.mark.parametrize("status", ["present", "holiday", "week_off"])
    def test_calendar_days_do_not_pay_an_edit_before_joining(self, status: Status) -> None:
        tenant = with_policy(Tenant(weekend=frozenset()), proration_basis="calendar_days")
        assert amount_of(tenant, self.joiner, edited(4, status)) == 0
        assert amount_of(tenant, self.joiner, edited(5, status)) == Decimal("100.00")

    def test_working_days_pay_an_edit_before_joining(self) -> None:
        tenant = Tenant(weekend=frozenset())
        assert amount_of(tenant, self.joiner, edited(4, "present")) == Decimal("100.00")

    def test_paid_holidays_do_not_pay_an_edit_before_joining(self) -> None:
        tenant = with_policy(FRIDAY_SATURDAY, daily_paid_holidays=True)
        joiner = replace(self.joiner, salaries=(paid("500", "daily"),))
        assert amount_of(tenant, joiner, edited(4, "holiday")) == 0
        assert amount_of(tenant, joiner, edited(5, "holiday")) == Decimal("500.00")

    def test_a_week_is_not_paid_for_an_edit_before_joining(self) -> None:
        joiner = replace(self.joiner, salaries=(paid("3500", "weekly"),))
        assert amount_of(FRIDAY_SATURDAY, joiner, edited(4, "present")) == 0
        assert amount_of(FRIDAY_SATURDAY, joiner, edited(5, "present")) == Decimal("3500.00")

    def test_duty_on_a_day_off_can_earn_more_than_a_prorated_week(self) -> None:
        tenant = with_policy(FRIDAY_SATURDAY, weekly_rule="prorated")
        worker = Employee(LONG_AGO, salaries=(paid("3500", "weekly"),))
        facts = replace(present(days_between(january(4), january(8))), on_duty=(OnDuty(january(9), january(9)),))
        assert amount_of(tenant, worker, facts) == Decimal("4200.00")

    def test_of_two_leaves_on_one_half_the_paid_one_is_used(self) -> None:
        lop = Leave(january(5), "first", "lop", False, "a")
        annual = Leave(january(5), "first", "paid", False, "b")
        for leaves in ((lop, annual), (annual, lop)):
            row = row_of(FRIDAY_SATURDAY, Employee(LONG_AGO), Facts(leaves=leaves), january(5), january(31))
            assert (row.first.nature, row.first.leave_type) == ("paid", "b")


class TestRounding:
    @pytest.mark.parametrize(
        ("exact", "amount"), [("0.005", "0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("-0.005", "-0.01")]
    )
    def test_goes_half_up(self, exact: str, amount: str) -> None:
        assert round_half_up(Fraction(exact), 2) == Decimal(amount)

    def test_knows_currencies_without_minor_units(self) -> None:
        assert str(round_half_up(Fraction("1234.5"), 0)) == "1235"


def rows_of(case: Case) -> dict[date, DayRow]:
    return register(case.tenant, case.employee, case.facts, case.month, case.as_of)


def lines_of(case: Case) -> list[Line]:
    return earned(case.tenant, case.employee, case.facts, case.month, case.as_of)


def only_around_the_period(case: Case) -> Case:
    """Keep the employment within ten days of the period, and the weekly rule at any_day."""
    start, end = period_of(case.tenant, case.month)
    employee = case.employee
    joined = max(employee.joined_on, start - timedelta(days=10))
    left = min(employee.left_on or date.max, end + timedelta(days=10))
    employee = replace(employee, joined_on=joined, left_on=max(left, joined))
    tenant = replace(case.tenant, policy=replace(case.tenant.policy, weekly_rule="any_day"))
    return replace(case, tenant=tenant, employee=employee, facts=without_strays(employee, case.facts))


def lines_of_periods_around(case: Case) -> list[Line]:
    """Return the lines of five periods in a row, the case's month in the middle."""
    lines = []
    for step in range(-2, 3):
        count = 2026 * 12 + int(case.month[5:]) - 1 + step
        month = f"{count // 12}-{count % 12 + 1:02d}"
        lines += earned(case.tenant, case.employee, case.facts, month, case.as_of)
    return lines


def payable_weeks(case: Case) -> set[tuple[date, ...]]:
    """Find the weeks with a payable half under weekly pay, walking over the days of employment."""
    employee = case.employee
    weeks = set()
    for day in days_between(employee.joined_on, employee.left_on or employee.joined_on):
        salary = salary_on(employee, day)
        row = row_of(case.tenant, employee, case.facts, day, case.as_of)
        payable = row.first.payable or row.second.payable
        if payable and salary is not None and salary.frequency == "weekly":
            weeks.add(tuple(week_of(case.tenant, day)))
    return weeks


class TestLaws:
    @quick
    @given(case=cases(strays=True))
    def test_every_day_is_counted_once(self, case: Case) -> None:
        rows = rows_of(case)
        sums = totals(rows)
        kinds = ("present", "absent", "leave")
        counted = sum(sums[f"{kind}_days"] for kind in kinds)
        assert counted + sums["holidays"] + sums["week_offs"] + sums["blank_days"] == len(rows)
        assert sum(sums["leave_by_type"].values()) == sums["leave_days"]
        start, end = period_of(case.tenant, case.month)
        assert len(rows) == (end - start).days + 1

    @quick
    @given(case=cases(strays=True))
    def test_every_line_explains_its_amount(self, case: Case) -> None:
        for line in lines_of(case):
            exact = Fraction(0) if line.divisor == 0 else Fraction(line.rate) * line.quantity / line.divisor
            assert abs(Fraction(line.amount) - exact) <= Fraction(1, 200)
            assert line.amount == line.amount.quantize(Decimal("0.01"))

    @quick
    @given(case=cases(strays=True), seed=st.integers(0, 999))
    def test_the_order_of_the_facts_does_not_matter(self, case: Case, seed: int) -> None:
        mixed = {}
        for name, facts in vars(case.facts).items():
            mixed[name] = tuple(Random(seed).sample(facts, len(facts)))
        pay = tuple(Random(seed).sample(case.employee.salaries, len(case.employee.salaries)))
        other = replace(case, facts=Facts(**mixed), employee=replace(case.employee, salaries=pay))
        assert rows_of(other) == rows_of(case)
        assert lines_of(other) == lines_of(case)

    @quick
    @given(case=cases())
    def test_another_day_never_earns_less(self, case: Case) -> None:
        later = replace(case, as_of=case.as_of + timedelta(days=1))
        assert lines_sum(lines_of(later)) >= lines_sum(lines_of(case))

    @quick
    @given(case=cases())
    def test_nothing_is_earned_before_the_period(self, case: Case) -> None:
        start, _ = period_of(case.tenant, case.month)
        assert lines_sum(lines_of(replace(case, as_of=start - timedelta(days=1)))) == 0

    @quick
    @given(case=cases(frequency="weekly"))
    def test_consecutive_periods_pay_every_week_once(self, case: Case) -> None:
        case = only_around_the_period(case)
        case = replace(case, employee=replace(case.employee, salaries=(paid("100", "weekly"),)))
        last = case.employee.left_on or date.max
        over = {week for week in payable_weeks(case) if min(week[-1], last) <= case.as_of}
        assert lines_sum(lines_of_periods_around(case)) == 100 * len(over)

    @quick
    @given(case=cases())
    def test_no_week_is_paid_twice_whatever_changes_in_it(self, case: Case) -> None:
        case = replace(only_around_the_period(case), as_of=date(2027, 12, 31))
        lines = [line for line in lines_of_periods_around(case) if line.frequency == "weekly"]
        assert sum(line.quantity for line in lines) == len(payable_weeks(case))

    @quick
    @given(case=cases(frequency="daily"), cut=st.integers(1, 28))
    def test_daily_pay_does_not_depend_on_where_periods_are_cut(self, case: Case, cut: int) -> None:
        case = only_around_the_period(case)
        other = replace(case, tenant=replace(case.tenant, cycle_start_day=cut))
        exact = sum(line.exact for line in lines_of_periods_around(case))
        assert sum(line.exact for line in lines_of_periods_around(other)) == exact

    @quick
    @given(case=cases(frequency="monthly"))
    def test_a_fully_present_month_pays_exactly_the_rate(self, case: Case) -> None:
        start, end = period_of(case.tenant, case.month)
        tenant = replace(case.tenant, policy=Policy(missing_attendance="present"))
        facts = Facts(holidays=case.holidays, roster=case.facts.roster)
        employee = replace(case.employee, joined_on=start, left_on=end, salaries=(paid("15000.01", "monthly"),))
        total = lines_sum(earned(tenant, employee, facts, case.month, end))
        working = [
            d
            for d in days_between(start, end)
            for h in ("first", "second")
            if is_working(tenant, employee, facts, d, h)
        ]
        assert total == (Decimal("15000.01") if working else 0)


class TestRandomCases:
    def test_are_the_same_for_the_same_seed(self) -> None:
        assert random_cases(Random(7), 5) == random_cases(Random(7), 5)

    def test_show_every_status_and_source(self) -> None:
        seen = set()
        for seed in range(12):
            for case in random_cases(Random(seed), 10):
                for row in rows_of(case).values():
                    seen |= {(half.status, half.source) for half in row.halves}
        wanted = {
            ("present", "attendance"),
            ("present", "policy"),
            ("absent", "attendance"),
            ("absent", "policy"),
            ("leave", "leave"),
            ("od", "od"),
            ("holiday", "calendar"),
            ("week_off", "calendar"),
            ("week_off", "roster"),
            ("blank", "none"),
        }
        edits = {"present", "absent", "leave", "od", "holiday", "week_off", "blank"}
        assert seen == wanted | {(status, "manual") for status in edits}

    def test_show_every_frequency_more_than_one_line_and_money(self) -> None:
        frequencies, most, total = set(), 0, Decimal(0)
        for seed in range(12):
            for case in random_cases(Random(seed), 10):
                lines = lines_of(case)
                frequencies |= {line.frequency for line in lines}
                most = max(most, len(lines))
                total += lines_sum(lines)
        assert frequencies == {"monthly", "weekly", "daily"}
        assert most >= 3
        assert total > 0
