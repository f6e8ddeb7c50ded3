"""Compute what the days are worth so far (rules.md section 4), exactly, rounding once per line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from tests.model.facts import HALVES, Employee, Facts, Frequency, Salary, Tenant
from tests.model.register import DayRow, row_of
from tests.model.workdays import counts_as_work, days_between, employed, period_of, salary_on


@dataclass(frozen=True)
class Line:
    """Explain one amount: rate x quantity / divisor, rounded half up.

    One line per salary row and period; `starts_on` and `ends_on` are that row's span cut to the period.
    """

    frequency: Frequency
    rate: Decimal
    starts_on: date
    ends_on: date
    quantity: Fraction  # days, shifts or weeks, extra days included
    unit: Literal["days", "shifts", "weeks"]
    extra_days: Decimal
    divisor: Fraction  # working or calendar days of the period; 1 for daily and weekly
    exact: Fraction
    amount: Decimal


def round_half_up(exact: Fraction, minor_units: int) -> Decimal:
    """Round to the minor unit, halves away from zero."""
    scale = 10**minor_units
    minor = (abs(exact) * scale + Fraction(1, 2)).__floor__()
    amount = Decimal(minor).scaleb(-minor_units)
    return -amount if exact < 0 else amount


def lines_sum(lines: Iterable[Line]) -> Decimal:
    """Return the amount earned: the sum of the rounded lines."""
    return sum((line.amount for line in lines), Decimal(0))


def segments(tenant: Tenant, employee: Employee, month: str) -> list[tuple[Salary, list[date]]]:
    """Cut the period where another salary row takes effect; days without a salary are left out."""
    start, end = period_of(tenant, month)
    found: list[tuple[Salary, list[date]]] = []
    for day in days_between(start, end):
        salary = salary_on(employee, day)
        if salary is None:
            continue
        if found and found[-1][0] is salary:
            found[-1][1].append(day)
        else:
            found.append((salary, [day]))
    return found


def earned(tenant: Tenant, employee: Employee, facts: Facts, month: str, as_of: date) -> list[Line]:
    """Return one line per salary segment of the period, in order of days."""
    lines = []
    for salary, days in segments(tenant, employee, month):
        rows = [row_of(tenant, employee, facts, day, as_of) for day in days if day <= as_of]
        extra = sum((row.extra_days for row in rows), Decimal(0))
        divisor = Fraction(1)
        unit: Literal["days", "shifts", "weeks"]
        if salary.frequency == "monthly":
            unit = "days"
            quantity = paid_days(tenant, employee, facts, rows) + Fraction(extra)
            divisor = divisor_days(tenant, employee, facts, month)
        elif salary.frequency == "daily":
            unit = "shifts"
            quantity = paid_shifts(tenant, employee, rows) + Fraction(extra)
        else:
            unit = "weeks"
            quantity = paid_weeks(tenant, employee, facts, days, as_of)
            extra = Decimal(0)
        exact = Fraction(0) if divisor == 0 else Fraction(salary.amount) * quantity / divisor
        lines.append(
            Line(
                frequency=salary.frequency,
                rate=salary.amount,
                starts_on=days[0],
                ends_on=days[-1],
                quantity=quantity,
                unit=unit,
                extra_days=extra,
                divisor=divisor,
                exact=exact,
                amount=round_half_up(exact, tenant.minor_units),
            )
        )
    return lines


def divisor_days(tenant: Tenant, employee: Employee, facts: Facts, month: str) -> Fraction:
    """Count the days a monthly rate is spread over, in the whole period."""
    days = days_between(*period_of(tenant, month))
    if tenant.policy.proration_basis == "calendar_days":
        return Fraction(len(days))
    return working_days(tenant, employee, facts, days)


def working_days(tenant: Tenant, employee: Employee, facts: Facts, days: Iterable[date]) -> Fraction:
    """Count working halves as half days, employed or not, less those edited into time off."""
    count = 0
    for day in days:
        for half in HALVES:
            if counts_as_work(tenant, employee, facts, day, half):
                count += 1
    return Fraction(count, 2)


def paid_days(tenant: Tenant, employee: Employee, facts: Facts, rows: Iterable[DayRow]) -> Fraction:
    """Count the days that earn a monthly rate, extra days not included."""
    count = 0
    for row in rows:
        for name, half in zip(HALVES, row.halves, strict=True):
            if tenant.policy.proration_basis == "calendar_days":
                closed = half.status in ("holiday", "week_off")
                if employed(employee, row.day) and (half.payable or closed):
                    count += 1
            elif half.payable and counts_as_work(tenant, employee, facts, row.day, name):
                count += 1
    return Fraction(count, 2)


def paid_shifts(tenant: Tenant, employee: Employee, rows: Iterable[DayRow]) -> Fraction:
    """Sum the shift units that earn a daily rate, extra days not included."""
    units = Fraction(0)
    paid_holidays = tenant.policy.daily_paid_holidays
    for row in rows:
        for half in row.halves:
            if half.payable:
                units += Fraction(row.units) / 2
            elif half.status == "holiday" and paid_holidays and employed(employee, row.day):
                units += Fraction(1, 2)
    return units


def paid_weeks(tenant: Tenant, employee: Employee, facts: Facts, days: list[date], as_of: date) -> Fraction:
    """Sum the pay weeks whose last day is one of `days` and over by the as-of date."""
    weeks = Fraction(0)
    for day in days:
        if day <= as_of and last_day_of_week(tenant, employee, week_of(tenant, day)) == day:
            weeks += share_of_week(tenant, employee, facts, week_of(tenant, day), as_of)
    return weeks


def week_of(tenant: Tenant, day: date) -> list[date]:
    """Return the seven days of the pay week the day is in."""
    start = day
    while start.isoweekday() != tenant.week_start:
        start = start - timedelta(days=1)
    return days_between(start, start + timedelta(days=6))


def weekly_on(employee: Employee, day: date) -> bool:
    """Return whether the person is paid by the week on that day."""
    salary = salary_on(employee, day)
    return salary is not None and salary.frequency == "weekly"


def last_day_of_week(tenant: Tenant, employee: Employee, week: list[date]) -> date | None:
    """Return the day deciding period and rate: the week's last under weekly pay, before leaving."""
    last = None
    for day in week:
        if weekly_on(employee, day) and (employee.left_on is None or day <= employee.left_on):
            last = day
    return last


def share_of_week(tenant: Tenant, employee: Employee, facts: Facts, week: list[date], as_of: date) -> Fraction:
    """Return how much of the weekly rate the week earns: 1 or 0, or a fraction if prorated."""
    payable = 0
    for day in week:
        if not weekly_on(employee, day) or not employed(employee, day):
            continue
        for half in row_of(tenant, employee, facts, day, as_of).halves:
            if half.payable:
                payable += 1
    if payable == 0:
        return Fraction(0)
    working = working_days(tenant, employee, facts, week)
    if tenant.policy.weekly_rule == "any_day" or working == 0:
        return Fraction(1)
    return Fraction(payable, 2) / working
