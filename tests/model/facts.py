"""Hold the input facts of the model: what people and devices said, and nothing computed from it."""

from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Literal, NamedTuple

HalfName = Literal["first", "second"]
Status = Literal["present", "absent", "leave", "od", "holiday", "week_off", "blank"]
Stated = Literal["present", "absent", "half_day"]
Off = Literal["first", "second", "full"]
Nature = Literal["paid", "lop"]
Frequency = Literal["monthly", "weekly", "daily"]

FREQUENCIES: tuple[Frequency, ...] = ("monthly", "weekly", "daily")
HALVES: tuple[HalfName, HalfName] = ("first", "second")


@dataclass(frozen=True)
class Policy:
    """How the tenant reads attendance and pays (rules.md sections 3 and 4)."""

    missing_attendance: Literal["absent", "present"] = "absent"
    full_day_minutes: int = 540
    half_day_minutes: int | None = None
    proration_basis: Literal["working_days", "calendar_days"] = "working_days"
    daily_paid_holidays: bool = False
    weekly_rule: Literal["any_day", "prorated"] = "any_day"


@dataclass(frozen=True)
class Tenant:
    """How the company counts time and money. Weekdays are ISO: 1 = Monday .. 7 = Sunday."""

    timezone: str = "Asia/Dhaka"
    weekend: frozenset[int] = frozenset({5, 6})
    week_start: int = 6
    cycle_start_day: int = 1
    minor_units: int = 2
    policy: Policy = Policy()


@dataclass(frozen=True)
class Branch:
    """Override the tenant's weekend if given, and replace (own_holidays) or add to its holidays."""

    name: str
    weekend: frozenset[int] | None = None
    own_holidays: bool = False


@dataclass(frozen=True)
class Holiday:
    """Close a day, or one half of it, for the tenant or for one branch by name."""

    day: date
    half: HalfName | None = None
    branch: str | None = None


@dataclass(frozen=True)
class Shift:
    """The hours of a working day; `payable_units` is what a full day of it is worth in days.

    Minutes of None are the tenant's.
    """

    name: str
    starts: time
    ends: time
    payable_units: Decimal = Decimal(1)
    full_day_minutes: int | None = None
    half_day_minutes: int | None = None
    unpaid_break_minutes: int = 0


@dataclass(frozen=True)
class RosterDay:
    """Decide a day's weekly day off, not the weekend; holidays stay unless `works_holidays`."""

    day: date
    shift: Shift | None = None
    off: Off | None = None
    works_holidays: bool = False


@dataclass(frozen=True)
class Salary:
    """The rate from a date on, until the next one."""

    amount: Decimal
    frequency: Frequency
    effective_from: date


@dataclass(frozen=True)
class Employee:
    """One person's terms. `left_on` is the last day of employment, inclusive."""

    joined_on: date
    left_on: date | None = None
    branch: Branch | None = None
    shift: Shift | None = None
    salaries: tuple[Salary, ...] = ()


@dataclass(frozen=True)
class AttendanceDay:
    """A day's attendance record: a stated status, worked minutes, or neither (a lone punch).

    `sessions` are clock times of coming and leaving; where there are some, minutes and the middle follow from them.
    """

    day: date
    stated: Stated | None = None
    half: HalfName | None = None
    worked_minutes: int | None = None
    checked_in_after_middle: bool = False
    late_minutes: int = 0
    early_out_minutes: int = 0
    sessions: tuple[tuple[time, time], ...] = ()


@dataclass(frozen=True)
class Leave:
    """One approved half day of leave."""

    day: date
    half: HalfName
    nature: Nature
    counts_non_working: bool
    leave_type: str


@dataclass(frozen=True)
class OnDuty:
    """An approved duty elsewhere, both ends inclusive; a `half` means that half of each day."""

    start: date
    end: date
    half: HalfName | None = None


@dataclass(frozen=True)
class Overtime:
    """One approved entry of overtime; a day may have several."""

    day: date
    hours: Decimal


class HalfEdit(NamedTuple):
    """What a person wrote over one half."""

    status: Status
    nature: Nature | None = None
    leave_type: str | None = None


@dataclass(frozen=True)
class DayEdit:
    """What a person wrote over a day; None leaves that part to the facts."""

    day: date
    first: HalfEdit | None = None
    second: HalfEdit | None = None
    ot_hours: Decimal | None = None
    extra_days: Decimal | None = None
    remarks: str | None = None


@dataclass(frozen=True)
class Facts:
    """All that is known about one employee's days, and the holidays of tenant and branches."""

    holidays: tuple[Holiday, ...] = ()
    roster: tuple[RosterDay, ...] = ()
    attendance: tuple[AttendanceDay, ...] = ()
    leaves: tuple[Leave, ...] = ()
    on_duty: tuple[OnDuty, ...] = ()
    overtime: tuple[Overtime, ...] = ()
    edits: tuple[DayEdit, ...] = ()


@dataclass(frozen=True)
class Case:
    """One whole question to the model. `holidays` is the same tuple as `facts.holidays`."""

    tenant: Tenant
    branches: tuple[Branch, ...]
    holidays: tuple[Holiday, ...]
    employee: Employee
    facts: Facts
    month: str
    as_of: date = field(default=date.max)
