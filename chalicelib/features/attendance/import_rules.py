"""From rows of a file to facts about people and days, or to what is wrong with them. No I/O."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chalicelib.entry.rows import RowError
from chalicelib.features.attendance.import_schemas import AttendanceRow
from chalicelib.features.attendance.rules import Facts, ShiftDay, Wrong, read_facts

Key = tuple[UUID, date]


@dataclass(frozen=True, slots=True)
class Employee:
    """Whom a row can be about."""

    user_id: UUID
    employee_no: str
    joined_on: date
    left_on: date | None
    zone: str


@dataclass(frozen=True, slots=True)
class Found:
    """A row whose employee and date are right."""

    line: int
    row: AttendanceRow
    employee: Employee

    @property
    def key(self) -> Key:
        return self.employee.user_id, self.row.date


def find_employees(
    rows: Iterable[tuple[int, AttendanceRow]],
    employees: Iterable[Employee],
    *,
    last_day: Callable[[str], date],
) -> tuple[list[Found], list[RowError]]:
    """This will name each row's employee and check that the date lies in the employment and not ahead.

    `last_day` gives the last day, in a time zone, that a record may be of.
    """
    by_no: dict[str, Employee] = {}
    by_id: dict[UUID, Employee] = {}
    for employee in employees:
        by_no[employee.employee_no] = by_id[employee.user_id] = employee
    last_days = {zone: last_day(zone) for zone in {employee.zone for employee in by_id.values()}}
    found: list[Found] = []
    errors: list[RowError] = []
    for line, row in rows:
        try:
            employee = _employee(row, by_no, by_id)
            if row.date > last_days[employee.zone]:
                raise Wrong("date", "lies in the future")
            if row.date < employee.joined_on:
                raise Wrong("date", f"is before {employee.employee_no} joined, on {employee.joined_on}")
            if employee.left_on and row.date > employee.left_on:
                raise Wrong("date", f"is after {employee.employee_no} left, on {employee.left_on}")
            found.append(Found(line, row, employee))
        except Wrong as wrong:
            errors.append(RowError(line=line, column=wrong.column, detail=wrong.detail))
    return found, errors


def _employee(row: AttendanceRow, by_no: Mapping[str, Employee], by_id: Mapping[UUID, Employee]) -> Employee:
    named = by_no.get(row.employee_no) if row.employee_no else None
    meant = by_id.get(row.user_id) if row.user_id else None
    if row.employee_no and named is None:
        raise Wrong("employee_no", f"there is no employee {row.employee_no[:40]}")
    if row.user_id and meant is None:
        raise Wrong("user_id", f"there is no employee {row.user_id}")
    if named and meant and named is not meant:
        raise Wrong("user_id", f"is not the employee {named.employee_no}")
    employee = named or meant
    if employee is None:
        raise Wrong(None, "says for nobody: give employee_no or user_id")
    return employee


def read(found: Iterable[Found], *, shifts: Mapping[Key, ShiftDay]) -> tuple[dict[Key, Facts], list[RowError]]:
    """This will read each row's facts; of rows about the same employee and date none is taken, as none is surer."""
    facts: dict[Key, Facts] = {}
    errors: list[RowError] = []
    lines: dict[Key, list[int]] = {}
    for place in found:
        lines.setdefault(place.key, []).append(place.line)
        try:
            facts[place.key] = read_facts(
                {"check_in": place.row.check_in, "check_out": place.row.check_out, "status": place.row.status,
                 "half": place.row.half, "worked_minutes": place.row.worked_minutes},
                day=place.row.date, zone=place.employee.zone, shift=shifts.get(place.key),
            )  # fmt: skip
        except Wrong as wrong:
            errors.append(RowError(line=place.line, column=wrong.column, detail=wrong.detail))
    for key, said in lines.items():
        if len(said) > 1:
            facts.pop(key, None)
            errors += [RowError(line=line, column="date", detail=_twice(line, said)) for line in said]
    return facts, errors


def _twice(line: int, said: list[int]) -> str:
    others = [str(other) for other in said if other != line]
    named = ", ".join(others[:5]) + (" and more" if len(others) > 5 else "")
    return f"the same employee and date are also on line {named}; keep one of them"
