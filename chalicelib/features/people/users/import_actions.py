"""The import of employees: all rows are checked against what exists, and the good ones written in one statement."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Table, Text, Uuid, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from chalicelib import audit, four_eyes
from chalicelib.backing import rows as result_rows
from chalicelib.backing.database import statement
from chalicelib.entry.bodies import RawBody
from chalicelib.entry.rows import RowError, read_rows, validate_rows
from chalicelib.features.people.models import branches, departments, divisions, shifts
from chalicelib.features.people.users.import_rules import (
    CREATABLE,
    KnownEmployee,
    KnownEmployees,
    Line,
    SortedEmployees,
    salary_of,
    sort_out,
)
from chalicelib.features.people.users.import_schemas import (
    MOST_ROWS,
    OPTIONAL,
    REQUIRED,
    Created,
    EmployeeImportReport,
    EmployeeImportRow,
)
from chalicelib.features.periods import periods
from chalicelib.features.periods import queries as period_queries
from chalicelib.identity.scope import Scope, check
from chalicelib.kernel.money import rounded

_KNOWN_EMPLOYEES = text(statement(__file__, "known_employees"))
_ADD_EMPLOYEES = text(statement(__file__, "add_employees"))
_KNOWN_SALARIES = text(statement(__file__, "known_salaries"))
_TABLES: dict[str, Table] = {"branch": branches, "department": departments, "division": divisions, "shift": shifts}


def import_people(scope: Scope, *, body: RawBody, dry_run: bool, create_missing: bool) -> EmployeeImportReport:
    """Add the employees of a file who do not exist yet, and report what is wrong with the other rows."""
    if create_missing:
        check(scope, "organisation.write")
    all_rows = read_rows(body, required=REQUIRED, optional=OPTIONAL, limit=MOST_ROWS)
    rows, errors = validate_rows(EmployeeImportRow, all_rows)
    if any(row.salary_amount is not None for _, row in rows):
        check(scope, "salaries.write")
    if not dry_run:
        # an advisory lock: of two imports with the same employees at once, each would refuse the other as a whole
        scope.advisory_lock("people")
    known = _find_known(scope, rows)
    rows, own = four_eyes.without_own_addresses(
        scope, four_eyes.Subject.SALARY, rows, address_of=lambda line: line[1].email
    )
    sorted_rows = sort_out(rows, known, create_missing=create_missing)
    sorted_rows.errors += [RowError(line=line, column="email", detail=detail) for (line, _), detail in own]
    if sorted_rows.new and not dry_run:
        _add_employees(scope, sorted_rows, known)
        audit.record(
            scope,
            action="people.imported",
            entity_type="tenant",
            entity_id=scope.tenant_id,
            after={
                "rows": len(all_rows),
                "added": len(sorted_rows.new),
                "unchanged": len(sorted_rows.unchanged),
                "created": sorted_rows.missing,
                "employee_nos": [row.employee_no for _, row in sorted_rows.new],
            },
        )
    return EmployeeImportReport(
        dry_run=dry_run,
        rows=len(all_rows),
        added=len(sorted_rows.new),
        unchanged=len(sorted_rows.unchanged),
        created=Created(**{_TABLES[column].name: sorted_rows.missing[column] for column in CREATABLE}),
        errors=sorted([*errors, *sorted_rows.errors], key=lambda error: error.line),
    )


def _find_known(scope: Scope, rows: Sequence[Line]) -> KnownEmployees:
    """Read what the tenant has already of what the rows name."""
    numbers = {row.employee_no for _, row in rows} | {row.manager_employee_no or "" for _, row in rows}
    result = scope.session.execute(_KNOWN_EMPLOYEES, {"tenant_id": scope.tenant_id, "numbers": list(numbers)})
    employees = {employee.employee_no: employee for employee in result_rows.every(KnownEmployee, result)}
    salaries = scope.session.execute(
        _KNOWN_SALARIES,
        {"tenant_id": scope.tenant_id, "user_ids": [employee.user_id for employee in employees.values()]},
    )
    emails = scope.session.execute(
        text("select email, name from users where tenant_id = :tenant_id and email = any(cast(:emails as text[]))"),
        {"tenant_id": scope.tenant_id, "emails": [row.email for _, row in rows if row.email]},
    )
    return KnownEmployees(
        currency=scope.tenant.currency,
        units={column: _find_unit_ids(scope, table) for column, table in _TABLES.items()},
        employees=employees,
        salaries={(row.user_id, row.effective_from): (row.amount, row.currency, row.frequency) for row in salaries},
        emails={row.email: row.name for row in emails},
    )


def _find_unit_ids(scope: Scope, table: Table) -> dict[str, UUID]:
    """Read the ids of all units of a table by name."""
    units = scope.session.execute(select(table.c.name, table.c.id).where(table.c.tenant_id == scope.tenant_id))
    return {unit.name: unit.id for unit in units}


def _add_employees(scope: Scope, sorted_rows: SortedEmployees, known: KnownEmployees) -> None:
    """Add the missing units and the new employees, and note their first days in the pay periods."""
    for column, names in sorted_rows.missing.items():
        if names:
            _add_units(scope, _TABLES[column], names)
    ids = {column: _find_unit_ids(scope, table) for column, table in _TABLES.items()}
    documents = [_document(scope, row, ids, known) for _, row in sorted_rows.new]
    added = scope.session.execute(
        _ADD_EMPLOYEES, {"tenant_id": scope.tenant_id, "employees": json.dumps(documents, default=str)}
    )
    _note_first_days(scope, [(row.id, row.joined_on) for row in added])


def _add_units(scope: Scope, table: Table, names: list[str]) -> None:
    units = select(literal(scope.tenant_id, Uuid), func.unnest(literal(names, ARRAY(Text))))
    scope.session.execute(
        insert(table)
        .from_select(["tenant_id", "name"], units)
        .on_conflict_do_nothing(index_elements=["tenant_id", "name"])
    )


def _document(
    scope: Scope, row: EmployeeImportRow, ids: dict[str, dict[str, UUID]], known: KnownEmployees
) -> dict[str, Any]:
    """Return a row as JSON for the statement, with ids in place of names."""
    manager = known.employees.get(row.manager_employee_no or "")
    document: dict[str, Any] = {
        **row.model_dump(include={"name", "email", "language", "employee_no", "joined_on", "left_on"}),
        **{f"{column}_id": unit_ids.get(getattr(row, column)) for column, unit_ids in ids.items()},
        "manager_id": manager.user_id if manager else None,
        "manager_no": row.manager_employee_no,
    }
    if (salary := salary_of(row, scope.tenant.currency)) is not None:
        day, (amount, currency, frequency) = salary
        document |= {
            "amount": rounded(amount, currency),
            "currency": currency,
            "frequency": frequency,
            "effective_from": day,
        }
    return document


def _note_first_days(scope: Scope, joined: Sequence[tuple[UUID, date]]) -> None:
    """Mark the pay periods from each employee's first day on, month by month: earlier ones do not change."""
    earliest = period_queries.find_first_day(scope)
    if earliest is None:
        return
    months: dict[str, list[tuple[date, UUID]]] = defaultdict(list)
    for user_id, day in joined:
        first_known = max(day, earliest)
        months[scope.tenant.month_of(first_known)].append((first_known, user_id))
    for employees in months.values():
        first = min(day for day, _ in employees)
        periods.touch_from(scope, user_ids=[user_id for _, user_id in employees], first=first, what="employment")
