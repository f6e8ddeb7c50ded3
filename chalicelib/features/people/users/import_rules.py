"""Which rows of an import can be added, which exist already, and what is wrong with the others. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from chalicelib.entry.rows import RowError
from chalicelib.features.people.users.import_schemas import EmployeeImportRow
from chalicelib.features.people.users.schemas import Frequency
from chalicelib.kernel.money import MINOR_UNITS, fits

Line = tuple[int, EmployeeImportRow]  # line number and row
Error = tuple[str, str]  # column and what is wrong
Salary = tuple[Decimal, str, str]  # amount, currency, frequency

CREATABLE = ("branch", "department", "division")
_COMPARED = (
    "name", "email", "language", "joined_on", "left_on", "branch", "department", "division", "manager_employee_no",
    "shift",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownEmployee:
    """An employee whose number a file names, in the words of an import (sql/known_employees.sql)."""

    user_id: UUID
    name: str
    email: str | None
    language: str
    employee_no: str
    joined_on: date
    left_on: date | None
    branch: str | None
    department: str | None
    division: str | None
    shift: str | None
    manager_employee_no: str | None


@dataclass(frozen=True, slots=True)
class KnownEmployees:
    """What the tenant has already of what the rows name."""

    currency: str
    units: Mapping[str, Mapping[str, UUID]]  # by column (branch, department, division, shift): name to id
    employees: Mapping[str, KnownEmployee]  # by employee number
    salaries: Mapping[tuple[UUID, date], Salary]  # of these employees, by user id and first day
    emails: Mapping[str, str]  # address to the name of the user it belongs to


@dataclass(slots=True)
class SortedEmployees:
    """The rows: new ones, unchanged ones, and errors. `missing` are the names of units to be added for the new ones."""

    new: list[Line] = field(default_factory=list)
    unchanged: list[Line] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)


def sort_out(rows: Sequence[Line], known: KnownEmployees, *, create_missing: bool) -> SortedEmployees:
    """Tell of every row whether it is new, exists already, or is wrong and in which column."""
    sorted_rows = SortedEmployees()
    new: dict[str, Line] = {}  # by employee number
    lines: dict[str, int] = {}  # employee number to its first line
    addresses: dict[str, int] = {}  # e-mail address to its first line
    for line, row in rows:
        if (first := lines.setdefault(row.employee_no, line)) != line:
            errors = [("employee_no", f"{row.employee_no} stands on line {first} already")]
        elif (employee := known.employees.get(row.employee_no)) is not None:
            errors = _find_differences(row, employee, known)
            if not errors:
                sorted_rows.unchanged.append((line, row))
                continue
        else:
            errors = [*_check_dates_and_salary(row, known), *_check_units(row, known, create_missing=create_missing)]
            if row.email is not None:
                errors += _check_address(row.email, line, addresses, known)
        if errors:
            sorted_rows.errors += [RowError(line=line, column=column, detail=detail) for column, detail in errors]
        else:
            new[row.employee_no] = (line, row)
    sorted_rows.errors += _drop_without_managers(new, known)
    sorted_rows.new = list(new.values())
    for column in CREATABLE:
        names = {name for _, row in sorted_rows.new if (name := getattr(row, column)) is not None}
        sorted_rows.missing[column] = sorted(names - known.units[column].keys())
    sorted_rows.errors.sort(key=lambda error: error.line)
    return sorted_rows


def salary_of(row: EmployeeImportRow, currency: str) -> tuple[date, Salary] | None:
    """Return a row's salary and its first day, which is the first day of work by default."""
    if row.salary_amount is None:
        return None
    frequency = row.salary_frequency or Frequency.MONTHLY
    return row.salary_effective_from or row.joined_on, (row.salary_amount, row.salary_currency or currency, frequency)


def _find_differences(row: EmployeeImportRow, employee: KnownEmployee, known: KnownEmployees) -> list[Error]:
    """Name the columns in which a row differs from an employee who exists, as one error."""
    differ = [column for column in _COMPARED if getattr(row, column) != getattr(employee, column)]
    if (dated_salary := salary_of(row, known.currency)) is not None:
        day, salary = dated_salary
        differ += ["salary"] if known.salaries.get((employee.user_id, day)) != salary else []
    if not differ:
        return []
    detail = f"is already there, and this row says otherwise about {', '.join(differ)}"
    return [("employee_no", f"{row.employee_no} {detail}; an import only adds people, so change it on the person")]


def _check_dates_and_salary(row: EmployeeImportRow, known: KnownEmployees) -> list[Error]:
    """Return what is wrong with a row's last day and salary."""
    errors = []
    if row.left_on is not None and row.left_on < row.joined_on:
        errors.append(("left_on", f"is before joined_on ({row.joined_on})"))
    if row.salary_amount is None:
        if row.salary_currency or row.salary_frequency or row.salary_effective_from:
            errors.append(("salary_amount", "is missing, and other columns of the salary are filled in"))
        return errors
    currency = row.salary_currency or known.currency
    if not fits(row.salary_amount, currency):
        errors.append(("salary_amount", f"has more decimals than {currency} has ({MINOR_UNITS[currency]})"))
    return errors


def _check_units(row: EmployeeImportRow, known: KnownEmployees, *, create_missing: bool) -> list[Error]:
    """Return which units a row names that do not exist and are not to be added."""
    errors = []
    for column, ids in known.units.items():
        name = getattr(row, column)
        if name is None or name in ids or (create_missing and column in CREATABLE):
            continue
        some = ", ".join(sorted(ids)[:10]) + (" and others" if len(ids) > 10 else "")
        existing = f"there are {some}" if ids else "there are none yet"
        remedy = "; add it, or import with create_missing=true" if column in CREATABLE else "; add it first"
        errors.append((column, f'there is no {column} "{name}"; {existing}{remedy}'))
    return errors


def _check_address(email: str, line: int, addresses: dict[str, int], known: KnownEmployees) -> list[Error]:
    """Return what is wrong with an address that a user has already, or an earlier row of the file."""
    if email in known.emails:
        return [("email", f"{email} belongs to {known.emails[email]} already")]
    if (first := addresses.setdefault(email, line)) != line:
        return [("email", f"{email} stands on line {first} already")]
    return []


def _drop_without_managers(new: dict[str, Line], known: KnownEmployees) -> list[RowError]:
    """Drop rows whose manager neither exists nor comes with the file, and rows that report in a circle."""
    outcome: dict[str, str | None] = {}  # what is wrong with an employee's manager; None: nothing
    for start in new:
        chain: dict[str, None] = {}  # employee numbers: an ordered set
        number: str | None = start
        while number is not None and number in new and number not in outcome and number not in chain:
            chain[number] = None
            number = new[number][1].manager_employee_no
        error, circle = _judge_end_of_chain(number, list(chain), outcome, new, known)
        for number in reversed(chain):
            outcome[number] = error
            if error is not None and number not in circle[1:]:
                error = f"the row of their manager {number} is wrong"
    errors = []
    for number, error in outcome.items():
        if error is not None:
            line, _ = new.pop(number)
            errors.append(RowError(line=line, column="manager_employee_no", detail=error))
    return errors


def _judge_end_of_chain(
    last: str | None, chain: list[str], outcome: dict[str, str | None], new: dict[str, Line], known: KnownEmployees
) -> tuple[str | None, list[str]]:
    """Return what is wrong where a chain of managers ends, and the circle if it ends in one."""
    if last is None or (last not in new and last in known.employees):
        return None, []
    if last in chain:
        circle = chain[chain.index(last) :]
        if len(circle) == 1:
            return "reports to themselves", circle
        return f"reports in a circle: {' to '.join([*circle[:12], last])}", circle
    if last in outcome:
        return None if outcome[last] is None else f"the row of their manager {last} is wrong", []
    return f"there is no employee {last}, neither here already nor in a good row of this file", []
