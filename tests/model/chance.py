"""Make cases from a seeded random generator: one company, thousands of employees, cheaply."""

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from random import Random

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
    HalfEdit,
    Holiday,
    Leave,
    Nature,
    Off,
    OnDuty,
    Overtime,
    Policy,
    RosterDay,
    Salary,
    Shift,
    Stated,
    Tenant,
)
from tests.model.workdays import days_between, period_of, shift_of

SHIFTS = (
    Shift("day", time(9), time(18)),
    Shift("half", time(9), time(14), Decimal("0.5")),
    Shift("night", time(21), time(6), Decimal("1.5")),
    Shift("double", time(6), time(22), Decimal(2)),
    Shift("rest", time(9), time(18), unpaid_break_minutes=60),
    Shift("late", time(23), time(6, 30), Decimal(1), 440, 200, 25),
)
TIMES = (
    ((time(9), time(18)),),
    ((time(9), time(13)), (time(14), time(18))),
    ((time(13, 30), time(18)),),
    ((time(23), time(6, 30)),),
    ((time(23), time(2, 30)),),
    ((time(22), time(1)), (time(1, 20), time(5, 10))),
)
LEAVE_TYPES: dict[str, tuple[Nature, bool]] = {
    "annual": ("paid", False),
    "unpaid": ("lop", False),
    "maternity": ("paid", True),
    "study": ("lop", True),
}
RATES: dict[Frequency, tuple[str, ...]] = {
    "monthly": ("15000", "18000", "20000.01", "33333.33"),
    "weekly": ("3500", "1000.01", "777.77"),
    "daily": ("500", "333.33", "0.01"),
}
WRITTEN = (
    HalfEdit("present"),
    HalfEdit("absent"),
    HalfEdit("leave", "paid", "annual"),
    HalfEdit("leave", "lop", "unpaid"),
    HalfEdit("od"),
    HalfEdit("holiday"),
    HalfEdit("week_off"),
    HalfEdit("blank"),
)


@dataclass(frozen=True)
class Company:
    """What all employees of one tenant share, and the question asked about each."""

    tenant: Tenant
    branches: tuple[Branch, ...]
    holidays: tuple[Holiday, ...]
    month: str
    as_of: date

    @property
    def window(self) -> list[date]:
        """List the days facts are made for: the period and a week on either side."""
        start, end = period_of(self.tenant, self.month)
        return days_between(start - timedelta(days=7), end + timedelta(days=7))


def random_company(chance: Random) -> Company:
    """Make a tenant with every policy switch in play, two branches, and holidays."""
    tenant = Tenant(
        timezone=chance.choice(("Asia/Dhaka", "Europe/Berlin")),
        weekend=frozenset(chance.choice(((5, 6), (6, 7), (7,), (5,), ()))),
        week_start=chance.randint(1, 7),
        cycle_start_day=chance.choice((1, 1, chance.randint(2, 28))),
        policy=Policy(
            missing_attendance=chance.choice(("absent", "present")),
            full_day_minutes=chance.choice((540, 480)),
            half_day_minutes=chance.choice((None, 240)),
            proration_basis=chance.choice(("working_days", "calendar_days")),
            daily_paid_holidays=chance.random() < 0.5,
            weekly_rule=chance.choice(("any_day", "prorated")),
        ),
    )
    branches = (
        Branch("north", chance.choice((None, frozenset({7}), frozenset({3}))), chance.random() < 0.5),
        Branch("south", chance.choice((None, frozenset({1, 2}))), chance.random() < 0.5),
    )
    month = f"2026-{chance.randint(1, 12):02d}"
    start, end = period_of(tenant, month)
    as_of = start + timedelta(days=chance.randint(-3, (end - start).days + 5))
    bare = Company(tenant, branches, (), month, chance.choice((as_of, end)))
    holidays = []
    for name in (None, "north", "south"):
        for day in chance.sample(bare.window, 4):
            holidays.append(Holiday(day, chance.choice((None, None, "first", "second")), name))
    return replace(bare, holidays=tuple(holidays))


def random_case(chance: Random, company: Company | None = None, strays: bool = False) -> Case:
    """Make one employee with facts; edits and overtime outside employment only with `strays`."""
    company = company or random_company(chance)
    employee = random_employee(chance, company)
    facts = random_facts(chance, company, employee)
    if not strays:
        facts = without_strays(employee, facts)
    return Case(company.tenant, company.branches, company.holidays, employee, facts, company.month, company.as_of)


def random_cases(chance: Random, employees: int) -> list[Case]:
    """Make one company and that many employees of it."""
    company = random_company(chance)
    return [random_case(chance, company) for _ in range(employees)]


def without_strays(employee: Employee, facts: Facts) -> Facts:
    """Drop edits and overtime outside employment, which rules.md says little about."""
    last = employee.left_on or date.max
    return replace(
        facts,
        edits=tuple(e for e in facts.edits if employee.joined_on <= e.day <= last),
        overtime=tuple(o for o in facts.overtime if employee.joined_on <= o.day <= last),
    )


def random_employee(chance: Random, company: Company) -> Employee:
    """Make joiners, leavers, raises and changes of frequency inside the window too."""
    window = company.window
    joined = chance.choice((date(2025, 1, 1), date(2025, 1, 1), chance.choice(window)))
    left = chance.choice((None, None, chance.choice(window)))
    if left is not None and left < joined:
        left = None
    starts = {chance.choice((date(2025, 1, 1), date(2025, 1, 1), chance.choice(window)))}
    starts |= {chance.choice(window) for _ in range(chance.choice((0, 0, 1, 2)))}
    changes = chance.random() < 0.25
    frequency = chance.choice(FREQUENCIES)
    salaries = []
    for effective_from in sorted(starts):
        if changes:
            frequency = chance.choice(FREQUENCIES)
        salaries.append(Salary(Decimal(chance.choice(RATES[frequency])), frequency, effective_from))
    if chance.random() < 0.02:
        salaries = []
    branch = chance.choice((None, *company.branches))
    return Employee(joined, left, branch, chance.choice((None, *SHIFTS)), tuple(salaries))


def random_facts(chance: Random, company: Company, employee: Employee) -> Facts:
    """Let every source claim some of the same halves; never two leaves on one half."""
    window = company.window
    regular = chance.choice((0.0, 0.5, 0.9, 1.0))
    roster, attendance, leaves, on_duty, overtime, edits = [], [], [], [], [], []
    for day in window:
        if chance.random() < 0.15:
            off: Off | None = chance.choice((None, None, "full", "first", "second"))
            roster.append(RosterDay(day, chance.choice((None, *SHIFTS)), off, chance.random() < 0.3))
    shifts = Facts(roster=tuple(roster))
    for day in window:
        if chance.random() < regular:
            has_shift = shift_of(employee, shifts, day) is not None
            attendance.append(random_attendance(chance, day, has_shift))
        if chance.random() < 0.12:
            for half in chance.choice((HALVES, HALVES[:1], HALVES[1:])):
                name = chance.choice(tuple(LEAVE_TYPES))
                leaves.append(Leave(day, half, *LEAVE_TYPES[name], name))
        if chance.random() < 0.06:
            end = day + timedelta(days=chance.choice((0, 0, 2)))
            on_duty.append(OnDuty(day, end, chance.choice((None, None, *HALVES))))
        if chance.random() < 0.08:
            overtime.append(Overtime(day, Decimal(chance.choice(("0.5", "1.25", "2")))))
        if chance.random() < 0.08:
            edits.append(random_edit(chance, day))
    return Facts(
        company.holidays,
        tuple(roster),
        tuple(attendance),
        tuple(leaves),
        tuple(on_duty),
        tuple(overtime),
        tuple(edits),
    )


def random_attendance(chance: Random, day: date, has_shift: bool) -> AttendanceDay:
    """State a status or give minutes around the limits; a shift is needed to have a middle."""
    stated: Stated | None = chance.choice(("present", "present", "present", "absent", "half_day", None, None))
    if stated is None and chance.random() < 0.3:
        return AttendanceDay(day, sessions=chance.choice(TIMES))
    minutes = None if stated else chance.choice((None, 0, 239, 240, 269, 270, 479, 480, 539, 540, 700))
    return AttendanceDay(
        day,
        stated,
        chance.choice((None, *HALVES)) if stated == "half_day" else None,
        minutes,
        has_shift and minutes is not None and chance.random() < 0.5,
        chance.choice((0, 0, 7)),
        chance.choice((0, 0, 11)),
    )


def random_edit(chance: Random, day: date) -> DayEdit:
    """Write over one half, both, or neither; sometimes overtime, extra days and a remark."""
    both = chance.choice(WRITTEN)
    return DayEdit(
        day,
        chance.choice((None, both)),
        chance.choice((None, both, chance.choice(WRITTEN))),
        chance.choice((None, None, Decimal(0), Decimal("1.5"))),
        chance.choice((None, None, Decimal("0.5"), Decimal(1))),
        chance.choice((None, "seen")),
    )
