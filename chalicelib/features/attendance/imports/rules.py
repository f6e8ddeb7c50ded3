"""Pure rules of imports: rows of a file become facts of employees and days, or errors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from uuid import UUID

from chalicelib.entry.rows import RowError
from chalicelib.features.attendance.imports.schemas import AttendanceRow
from chalicelib.features.attendance.records.rules import (
    DAYS_AFTER,
    DAYS_BEFORE,
    Facts,
    ShiftDay,
    WrongValue,
    read_facts,
    record_day,
)

Key = tuple[UUID, date]
Rosters = Mapping[UUID, Mapping[date, tuple[time, time]]]  # an employee's rostered days: start and end of the shift


@dataclass(frozen=True, slots=True)
class Employee:
    """An employee that rows may name."""

    user_id: UUID
    employee_no: str
    joined_on: date
    left_on: date | None
    zone: str
    starts_at: time | None  # of the usual shift
    ends_at: time | None

    def shifts_around(self, day: date, rosters: Rosters) -> Sequence[ShiftDay]:
        """Return the shifts that decide what a clock time of this day means."""
        usual = _usual_shifts(day, self.starts_at, self.ends_at)
        if own := rosters.get(self.user_id):
            return [ShiftDay(shift.day, *own[shift.day]) if shift.day in own else shift for shift in usual]
        return usual


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row whose employee and date are valid."""

    line: int
    row: AttendanceRow
    employee: Employee


@lru_cache(maxsize=10_000)
def _usual_shifts(day: date, starts_at: time | None, ends_at: time | None) -> tuple[ShiftDay, ...]:
    """Return the days around a day with one shift on each."""
    days = (day + timedelta(days=n) for n in range(-DAYS_BEFORE, DAYS_AFTER + 1))
    return tuple(ShiftDay(one, starts_at, ends_at) for one in days)


def find_employees(
    rows: Iterable[tuple[int, AttendanceRow]], employees: Iterable[Employee], *, last_day: Callable[[str], date]
) -> tuple[list[MatchedRow], list[RowError]]:
    """Match each row to its employee, and check that the date is in the employment and not in the future.

    `last_day` returns the last valid day in a time zone.
    """
    by_no: dict[str, Employee] = {}
    by_id: dict[UUID, Employee] = {}
    for employee in employees:
        by_no[employee.employee_no] = by_id[employee.user_id] = employee
    last_days = {zone: last_day(zone) for zone in {employee.zone for employee in by_id.values()}}
    matched: list[MatchedRow] = []
    errors: list[RowError] = []
    for line, row in rows:
        try:
            employee = _match_employee(row, by_no, by_id)
            check_day(employee, row.date, last_day=last_days[employee.zone], column="date")
            matched.append(MatchedRow(line, row, employee))
        except WrongValue as wrong:
            errors.append(RowError(line=line, column=wrong.column, detail=wrong.detail))
    return matched, errors


def check_day(employee: Employee, day: date, *, last_day: date | None = None, column: str) -> None:
    """Raise WrongValue for a day outside the employment, or later than the last valid one."""
    if last_day and day > last_day:
        raise WrongValue(column, "lies in the future")
    if day < employee.joined_on:
        raise WrongValue(column, f"is before {employee.employee_no} joined, on {employee.joined_on}")
    if employee.left_on and day > employee.left_on:
        raise WrongValue(column, f"is after {employee.employee_no} left, on {employee.left_on}")


def _match_employee(row: AttendanceRow, by_no: Mapping[str, Employee], by_id: Mapping[UUID, Employee]) -> Employee:
    by_number = by_no.get(row.employee_no) if row.employee_no else None
    by_user_id = by_id.get(row.user_id) if row.user_id else None
    if row.employee_no and by_number is None:
        raise WrongValue("employee_no", f"there is no employee {row.employee_no[:40]}")
    if row.user_id and by_user_id is None:
        raise WrongValue("user_id", f"there is no employee {row.user_id}")
    if by_number and by_user_id and by_number is not by_user_id:
        raise WrongValue("user_id", f"is not the employee {by_number.employee_no}")
    employee = by_number or by_user_id
    if employee is None:
        raise WrongValue(None, "says for nobody: give employee_no or user_id")
    return employee


def read_rows(matched: Iterable[MatchedRow], *, rosters: Rosters) -> tuple[dict[Key, Facts], list[RowError]]:
    """Read each row's facts; several rows for one employee and day are all errors.

    `rosters` has the rostered shifts. A check-in with its own date decides the day (`record_day`).
    """
    facts: dict[Key, Facts] = {}
    errors: list[RowError] = []
    lines: dict[Key, list[int]] = {}
    for place in matched:
        key = (place.employee.user_id, place.row.date)
        try:
            key, facts_of_row = _read_row(place, rosters)
            facts[key] = facts_of_row
        except WrongValue as wrong:
            errors.append(RowError(line=place.line, column=wrong.column, detail=wrong.detail))
        lines.setdefault(key, []).append(place.line)
    for key, of_day in lines.items():
        if len(of_day) > 1:
            facts.pop(key, None)
            errors += [RowError(line=line, column="date", detail=_describe_duplicate(line, of_day)) for line in of_day]
    return facts, errors


def _read_row(place: MatchedRow, rosters: Rosters) -> tuple[Key, Facts]:
    """Return the facts of one row, and their employee and day."""
    row, employee = place.row, place.employee
    shifts = employee.shifts_around(row.date, rosters) if row.check_in else []
    day = record_day(row.check_in, day=row.date, zone=employee.zone, shifts=shifts)
    if day != row.date:
        check_day(employee, day, column="check_in")
    values = {
        "check_in": row.check_in,
        "check_out": row.check_out,
        "status": row.status,
        "half": row.half,
        "worked_minutes": row.worked_minutes,
    }
    return (employee.user_id, day), read_facts(values, day=day, zone=employee.zone, shifts=shifts)


def _describe_duplicate(line: int, lines: list[int]) -> str:
    others = [str(other) for other in lines if other != line]
    named = ", ".join(others[:5]) + (" and more" if len(others) > 5 else "")
    return f"the same employee and date are also on line {named}; keep one of them"
