"""The import of people: all rows are checked against what stands, and the good ones written in one statement."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select, text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import statement
from chalicelib.entry.bodies import RawBody
from chalicelib.entry.rows import RowError, checked, read_rows
from chalicelib.features.people.models import branches, departments, divisions, shifts
from chalicelib.features.people.users.import_rules import (
    CREATABLE,
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
    PersonRow,
)
from chalicelib.features.periods import periods
from chalicelib.features.periods import queries as period_queries
from chalicelib.identity.scope import Scope, check
from chalicelib.kernel.money import rounded

_KNOWN_PEOPLE = text(statement(__file__, "known_people"))
_ADD_PEOPLE = text(statement(__file__, "add_people"))
_TABLES: dict[str, Table] = {"branch": branches, "department": departments, "division": divisions, "shift": shifts}


def import_people(scope: Scope, *, body: RawBody, dry_run: bool, create_missing: bool) -> EmployeeImportReport:
    """Add the people of a file who are not there yet, and tell what is wrong with the other rows."""
    if create_missing:
        check(scope, "organisation.write")
    read = read_rows(body, required=REQUIRED, optional=OPTIONAL, limit=MOST_ROWS)
    rows, wrong = checked(PersonRow, read)
    if any(row.salary_amount is not None for _, row in rows):
        check(scope, "salaries.write")
    if not dry_run:
        # one import of a tenant at a time, or two with the same people would refuse each other as a whole
        scope.advisory_lock("people")
    standing = _standing(scope, rows)
    rows, own = four_eyes.without_own_addresses(
        scope, four_eyes.Subject.SALARY, rows, address_of=lambda line: line[1].email
    )
    sorted_out = sort_out(rows, standing, create_missing=create_missing)
    sorted_out.errors += [RowError(line=line, column="email", detail=detail) for (line, _), detail in own]
    if sorted_out.fresh and not dry_run:
        _add(scope, sorted_out, standing)
        audit.record(
            scope,
            action="people.imported",
            entity_type="tenant",
            entity_id=scope.tenant_id,
            after={
                "rows": len(read),
                "added": len(sorted_out.fresh),
                "unchanged": len(sorted_out.unchanged),
                "created": sorted_out.missing,
                "employee_nos": [row.employee_no for _, row in sorted_out.fresh],
            },
        )
    return EmployeeImportReport(
        dry_run=dry_run,
        rows=len(read),
        added=len(sorted_out.fresh),
        unchanged=len(sorted_out.unchanged),
        created=Created(**{_TABLES[column].name: sorted_out.missing[column] for column in CREATABLE}),
        errors=sorted([*wrong, *sorted_out.errors], key=lambda error: error.line),
    )


def _standing(scope: Scope, rows: Sequence[Line]) -> KnownEmployees:
    numbers = {row.employee_no for _, row in rows} | {row.manager_employee_no or "" for _, row in rows}
    found = scope.session.execute(_KNOWN_PEOPLE, {"tenant_id": scope.tenant_id, "numbers": list(numbers)}).mappings()
    people = {row["employee_no"]: dict(row) for row in found}
    pay = scope.session.execute(
        text(
            "select user_id, effective_from, amount, currency, frequency from salaries"
            " where tenant_id = :tenant_id and user_id = any(cast(:user_ids as uuid[]))"
        ),
        {"tenant_id": scope.tenant_id, "user_ids": [row["user_id"] for row in people.values()]},
    )
    emails = scope.session.execute(
        text("select email, name from users where tenant_id = :tenant_id and email = any(cast(:emails as text[]))"),
        {"tenant_id": scope.tenant_id, "emails": [row.email for _, row in rows if row.email]},
    )
    return KnownEmployees(
        currency=scope.tenant.currency,
        units={column: _names(scope, table) for column, table in _TABLES.items()},
        people=people,
        salaries={(row.user_id, row.effective_from): (row.amount, row.currency, row.frequency) for row in pay},
        emails={row.email: row.name for row in emails},
    )


def _names(scope: Scope, table: Table) -> dict[str, UUID]:
    rows = scope.session.execute(select(table.c.name, table.c.id).where(table.c.tenant_id == scope.tenant_id))
    return {row.name: row.id for row in rows}


def _add(scope: Scope, sorted_out: SortedEmployees, standing: KnownEmployees) -> None:
    for column, names in sorted_out.missing.items():
        if names:
            _make_units(scope, _TABLES[column], names)
    ids = {column: _names(scope, table) for column, table in _TABLES.items()}
    people = [_written(scope, row, ids, standing) for _, row in sorted_out.fresh]
    made = scope.session.execute(_ADD_PEOPLE, {"tenant_id": scope.tenant_id, "people": json.dumps(people, default=str)})
    _touch(scope, [(row.id, row.joined_on) for row in made])


def _make_units(scope: Scope, table: Table, names: list[str]) -> None:
    scope.session.execute(
        text(
            f"insert into {table.name} (tenant_id, name) select :tenant_id, unnest(cast(:names as text[]))"
            " on conflict (tenant_id, name) do nothing"
        ),
        {"tenant_id": scope.tenant_id, "names": names},
    )


def _written(scope: Scope, row: PersonRow, ids: dict[str, dict[str, UUID]], standing: KnownEmployees) -> dict[str, Any]:
    """Return a row as the statement takes it, with ids in place of names."""
    manager = standing.people.get(row.manager_employee_no or "")
    made: dict[str, Any] = {
        **row.model_dump(include={"name", "email", "language", "employee_no", "joined_on", "left_on"}),
        **{f"{column}_id": known.get(getattr(row, column)) for column, known in ids.items()},
        "manager_id": manager["user_id"] if manager else None,
        "manager_no": row.manager_employee_no,
    }
    if (salary := salary_of(row, scope.tenant.currency)) is not None:
        day, (amount, currency, frequency) = salary
        made |= {
            "amount": rounded(amount, currency),
            "currency": currency,
            "frequency": frequency,
            "effective_from": day,
        }
    return made


def _touch(scope: Scope, joined: Sequence[tuple[UUID, date]]) -> None:
    """Note the first day of each person, month by month: nobody changes the periods before their own."""
    earliest = period_queries.find_first_day(scope)
    if earliest is None:
        return
    months: dict[str, list[tuple[date, UUID]]] = defaultdict(list)
    for user_id, day in joined:
        seen = max(day, earliest)
        months[scope.tenant.month_of(seen)].append((seen, user_id))
    for people in months.values():
        first = min(seen for seen, _ in people)
        periods.touch_from(scope, user_ids=[user_id for _, user_id in people], first=first, what="employment")
