"""Which rows of an import can be added, which are there already, and what is wrong with the others. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from chalicelib.entry.rows import RowError
from chalicelib.features.people.users.import_schemas import PersonRow
from chalicelib.features.people.users.schemas import Frequency
from chalicelib.kernel.money import MINOR_UNITS, fits

Line = tuple[int, PersonRow]
Salary = tuple[Decimal, str, str]  # amount, currency, frequency

CREATABLE = ("branch", "department", "division")
_COMPARED = (
    "name", "email", "language", "joined_on", "left_on", "branch", "department", "division", "manager_employee_no",
    "shift",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownEmployees:
    """What the tenant has already, as far as the rows speak of it."""

    currency: str
    units: Mapping[str, Mapping[str, UUID]]  # by column (branch, department, division, shift): name to id
    people: Mapping[str, Mapping[str, Any]]  # by employee number, with the columns of a row and user_id
    salaries: Mapping[tuple[UUID, date], Salary]  # of these people
    emails: Mapping[str, str]  # address to the name of whom it belongs to


@dataclass(slots=True)
class SortedEmployees:
    """The rows, sorted out. `missing` are the names of units that must be made for the fresh ones."""

    fresh: list[Line] = field(default_factory=list)
    unchanged: list[Line] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)


def sort_out(rows: Sequence[Line], standing: KnownEmployees, *, create_missing: bool) -> SortedEmployees:
    """Return of every row whether it is new, there already, or wrong and in which column."""
    made = SortedEmployees()
    fresh: dict[str, Line] = {}  # by employee number
    lines: dict[str, int] = {}
    addresses: dict[str, int] = {}
    for line, row in rows:
        if (first := lines.setdefault(row.employee_no, line)) != line:
            found = [("employee_no", f"{row.employee_no} stands on line {first} already")]
        elif (there := standing.people.get(row.employee_no)) is not None:
            found = _differences(row, there, standing)
            if not found:
                made.unchanged.append((line, row))
                continue
        else:
            found = [*_dates_and_pay(row, standing), *_units(row, standing, create_missing=create_missing)]
            if row.email is not None:
                found += _address(row.email, line, addresses, standing)
        if found:
            made.errors += [RowError(line=line, column=column, detail=detail) for column, detail in found]
        else:
            fresh[row.employee_no] = (line, row)
    made.errors += _without_managers(fresh, standing)
    made.fresh = list(fresh.values())
    for column in CREATABLE:
        names = {name for _, row in made.fresh if (name := getattr(row, column)) is not None}
        made.missing[column] = sorted(names - standing.units[column].keys())
    made.errors.sort(key=lambda error: error.line)
    return made


def salary_of(row: PersonRow, currency: str) -> tuple[date, Salary] | None:
    """Return a row's salary and its first day, which is the first day of work unless said."""
    if row.salary_amount is None:
        return None
    frequency = row.salary_frequency or Frequency.MONTHLY
    return row.salary_effective_from or row.joined_on, (row.salary_amount, row.salary_currency or currency, frequency)


def _differences(row: PersonRow, there: Mapping[str, Any], standing: KnownEmployees) -> list[tuple[str, str]]:
    differ = [column for column in _COMPARED if getattr(row, column) != there[column]]
    if (pay := salary_of(row, standing.currency)) is not None:
        day, salary = pay
        differ += ["salary"] if standing.salaries.get((there["user_id"], day)) != salary else []
    if not differ:
        return []
    said = f"is already there, and this row says otherwise about {', '.join(differ)}"
    return [("employee_no", f"{row.employee_no} {said}; an import only adds people, so change it on the person")]


def _dates_and_pay(row: PersonRow, standing: KnownEmployees) -> list[tuple[str, str]]:
    found = []
    if row.left_on is not None and row.left_on < row.joined_on:
        found.append(("left_on", f"is before joined_on ({row.joined_on})"))
    if row.salary_amount is None:
        if row.salary_currency or row.salary_frequency or row.salary_effective_from:
            found.append(("salary_amount", "is missing, and other columns of the salary are filled in"))
        return found
    currency = row.salary_currency or standing.currency
    if not fits(row.salary_amount, currency):
        found.append(("salary_amount", f"has more decimals than {currency} has ({MINOR_UNITS[currency]})"))
    return found


def _units(row: PersonRow, standing: KnownEmployees, *, create_missing: bool) -> list[tuple[str, str]]:
    found = []
    for column, known in standing.units.items():
        name = getattr(row, column)
        if name is None or name in known or (create_missing and column in CREATABLE):
            continue
        some = ", ".join(sorted(known)[:10]) + (" and others" if len(known) > 10 else "")
        there = f"there are {some}" if known else "there are none yet"
        remedy = "; add it, or import with create_missing=true" if column in CREATABLE else "; add it first"
        found.append((column, f'there is no {column} "{name}"; {there}{remedy}'))
    return found


def _address(email: str, line: int, addresses: dict[str, int], standing: KnownEmployees) -> list[tuple[str, str]]:
    if email in standing.emails:
        return [("email", f"{email} belongs to {standing.emails[email]} already")]
    if (first := addresses.setdefault(email, line)) != line:
        return [("email", f"{email} stands on line {first} already")]
    return []


def _without_managers(fresh: dict[str, Line], standing: KnownEmployees) -> list[RowError]:
    """Take out rows whose manager is neither there nor coming, and rows that report in a circle."""
    outcome: dict[str, str | None] = {}  # what is wrong with an employee's manager; None: nothing
    for start in fresh:
        chain: dict[str, None] = {}  # in order, and quick to look into
        at: str | None = start
        while at is not None and at in fresh and at not in outcome and at not in chain:
            chain[at] = None
            at = fresh[at][1].manager_employee_no
        said, circle = _end_of_chain(at, list(chain), outcome, fresh, standing)
        for number in reversed(chain):
            outcome[number] = said
            if said is not None and number not in circle[1:]:
                said = f"the row of their manager {number} is wrong"
    errors = []
    for number, wrong in outcome.items():
        if wrong is not None:
            line, _ = fresh.pop(number)
            errors.append(RowError(line=line, column="manager_employee_no", detail=wrong))
    return errors


def _end_of_chain(
    at: str | None, chain: list[str], outcome: dict[str, str | None], fresh: dict[str, Line], standing: KnownEmployees
) -> tuple[str | None, list[str]]:
    """Return what is wrong where a chain of managers ends, and who is in the circle if it ends in one."""
    if at is None or (at not in fresh and at in standing.people):
        return None, []
    if at in chain:
        circle = chain[chain.index(at) :]
        if len(circle) == 1:
            return "reports to themselves", circle
        return f"reports in a circle: {' to '.join([*circle[:12], at])}", circle
    if at in outcome:
        return None if outcome[at] is None else f"the row of their manager {at} is wrong", []
    return f"there is no employee {at}, neither here already nor in a good row of this file", []
