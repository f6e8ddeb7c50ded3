"""Build the pay register of one employee, half by half (rules.md section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from tests.model.facts import (
    AttendanceDay,
    Employee,
    Facts,
    HalfName,
    Leave,
    Nature,
    Shift,
    Status,
    Tenant,
)
from tests.model.hours import attended_halves
from tests.model.workdays import (
    days_between,
    edit_of,
    employed,
    is_holiday,
    is_week_off,
    period_of,
    roster_of,
    shift_of,
)

__all__ = ["DayRow", "Half", "half_of", "period_of", "register", "row_of", "totals"]

Source = Literal["attendance", "leave", "od", "roster", "calendar", "policy", "manual", "none"]
HALF_DAY = Decimal("0.5")


@dataclass(frozen=True)
class Half:
    """The one status of a half day, and where it came from."""

    status: Status
    source: Source
    leave_type: str | None = None
    nature: Nature | None = None

    @property
    def payable(self) -> bool:
        """Return whether the half is worked or paid for as if worked."""
        return self.status in ("present", "od") or (self.status == "leave" and self.nature == "paid")


@dataclass(frozen=True)
class DayRow:
    """One day of the register. Late and early-out minutes are those that count, else 0."""

    day: date
    first: Half
    second: Half
    shift: Shift | None
    units: Decimal
    ot_hours: Decimal
    late_minutes: int
    early_out_minutes: int
    extra_days: Decimal
    remarks: str | None

    @property
    def halves(self) -> tuple[Half, Half]:
        """Return the two halves in order."""
        return self.first, self.second


def record_of(facts: Facts, day: date) -> AttendanceDay | None:
    """Return the attendance record of the day, if there is one."""
    for record in facts.attendance:
        if record.day == day:
            return record
    return None


def leave_of(facts: Facts, day: date, half: HalfName, closed: bool) -> Leave | None:
    """Return the leave that uses this half; of two on one half (never valid): paid, then by name."""
    usable = []
    for leave in facts.leaves:
        if leave.day == day and leave.half == half and (leave.counts_non_working or not closed):
            usable.append(leave)
    if not usable:
        return None
    return min(usable, key=lambda leave: (leave.nature != "paid", leave.leave_type))


def on_duty_on(facts: Facts, day: date, half: HalfName) -> bool:
    """Return whether an approved duty covers this half."""
    return any(duty.start <= day <= duty.end and duty.half in (None, half) for duty in facts.on_duty)


def claim_of(tenant: Tenant, employee: Employee, facts: Facts, day: date, half: HalfName) -> Half | None:
    """Return what has this half whoever came to work: the first line of the precedence list before attendance."""
    # 1. a person's edit
    edit = edit_of(facts, day)
    written = None if edit is None else (edit.first if half == "first" else edit.second)
    if written is not None:
        if written.status == "leave":
            return Half("leave", "manual", written.leave_type, written.nature or "paid")
        return Half(written.status, "manual")
    # 2. outside employment
    if not employed(employee, day):
        return Half("blank", "none")
    holiday = is_holiday(employee, facts, day, half)
    week_off = is_week_off(tenant, employee, facts, day, half)
    # 3. approved leave
    leave = leave_of(facts, day, half, closed=holiday or week_off)
    if leave is not None:
        return Half("leave", "leave", leave.leave_type, leave.nature)
    # 4. approved duty elsewhere, also on a holiday or day off
    if on_duty_on(facts, day, half):
        return Half("od", "od")
    # 5. the calendar
    if holiday:
        return Half("holiday", "calendar")
    if week_off:
        return Half("week_off", "calendar" if roster_of(facts, day) is None else "roster")
    return None


def half_of(tenant: Tenant, employee: Employee, facts: Facts, day: date, half: HalfName, as_of: date) -> Half:
    """Return one half: the first line of the precedence list that matches."""
    claim = claim_of(tenant, employee, facts, day, half)
    if claim is not None:
        return claim
    # 6. attendance says present, even after the as-of date; where the other half is taken, this one is judged alone
    beside = claim_of(tenant, employee, facts, day, "second" if half == "first" else "first")
    is_alone = beside is not None and beside.status in ("leave", "od", "holiday", "week_off")
    record = record_of(facts, day)
    if record is not None:
        shift = shift_of(employee, facts, day)
        if half in attended_halves(tenant, record, shift, half if is_alone else None):
            return Half("present", "attendance")
    # 7. not yet known
    if day > as_of:
        return Half("blank", "none")
    # 8. a record that says absent, or no record at all
    if record is not None:
        return Half("absent", "attendance")
    return Half(tenant.policy.missing_attendance, "policy")


def row_of(tenant: Tenant, employee: Employee, facts: Facts, day: date, as_of: date) -> DayRow:
    """Build the row of one day, of any period."""
    first = half_of(tenant, employee, facts, day, "first", as_of)
    second = half_of(tenant, employee, facts, day, "second", as_of)
    shift = shift_of(employee, facts, day)
    record = record_of(facts, day)
    edit = edit_of(facts, day)
    late = early = 0
    if record is not None and first.status in ("present", "od"):
        late = record.late_minutes
    if record is not None and second.status in ("present", "od"):
        early = record.early_out_minutes
    if edit is not None and edit.ot_hours is not None:
        ot_hours = edit.ot_hours
    else:
        ot_hours = sum((o.hours for o in facts.overtime if o.day == day), Decimal(0))
    extra = Decimal(0)
    if edit is not None and edit.extra_days is not None:
        extra = edit.extra_days
    return DayRow(
        day=day,
        first=first,
        second=second,
        shift=shift,
        units=Decimal(1) if shift is None else shift.payable_units,
        ot_hours=ot_hours,
        late_minutes=late,
        early_out_minutes=early,
        extra_days=extra,
        remarks=None if edit is None else edit.remarks,
    )


def register(tenant: Tenant, employee: Employee, facts: Facts, month: str, as_of: date) -> dict[date, DayRow]:
    """Build the row of every day of the period."""
    start, end = period_of(tenant, month)
    return {day: row_of(tenant, employee, facts, day, as_of) for day in days_between(start, end)}


def totals(rows: Mapping[date, DayRow]) -> dict[str, Any]:
    """Sum the rows: days and hours as Decimal, counts and minutes as int."""
    kinds = ("present", "absent", "od", "holiday", "week_off", "blank", "paid", "lop")
    days = dict.fromkeys(kinds, Decimal(0))
    by_type: dict[str, Decimal] = {}
    payable = extra = ot_hours = Decimal(0)
    late_count = late_minutes = early_count = early_minutes = 0
    for row in rows.values():
        for half in row.halves:
            if half.status == "leave":
                days[half.nature or "paid"] += HALF_DAY
                if half.leave_type is not None:
                    by_type[half.leave_type] = by_type.get(half.leave_type, Decimal(0)) + HALF_DAY
                if half.nature == "paid":
                    payable += HALF_DAY
            elif half.status == "od":
                days["od"] += HALF_DAY
                days["present"] += HALF_DAY
                payable += row.units / 2
            else:
                days[half.status] += HALF_DAY
                if half.status == "present":
                    payable += row.units / 2
        payable += row.extra_days
        extra += row.extra_days
        ot_hours += row.ot_hours
        late_count += 1 if row.late_minutes > 0 else 0
        late_minutes += row.late_minutes
        early_count += 1 if row.early_out_minutes > 0 else 0
        early_minutes += row.early_out_minutes
    return {
        "present_days": days["present"],
        "od_days": days["od"],
        "absent_days": days["absent"],
        "paid_leave_days": days["paid"],
        "lop_days": days["lop"],
        "leave_days": days["paid"] + days["lop"],
        "holidays": days["holiday"],
        "week_offs": days["week_off"],
        "blank_days": days["blank"],
        "payable_shifts": payable,
        "ot_hours": ot_hours,
        "late_count": late_count,
        "late_minutes": late_minutes,
        "early_out_count": early_count,
        "early_out_minutes": early_minutes,
        "extra_days": extra,
        "leave_by_type": by_type,
    }
