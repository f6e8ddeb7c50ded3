"""Import of many attendance records: a few statements for the whole file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import statement
from chalicelib.entry.rows import ImportRow, RowError, validate_rows
from chalicelib.features.attendance.imports import rules
from chalicelib.features.attendance.imports.rules import Employee, Key, MatchedRow, Rosters
from chalicelib.features.attendance.imports.schemas import AttendanceImportReport, AttendanceRow
from chalicelib.features.attendance.records.actions import FACTS, array, decide_pairs, last_day
from chalicelib.features.attendance.records.rules import DAYS_AFTER, DAYS_BEFORE, Facts
from chalicelib.features.periods import periods
from chalicelib.features.periods import queries as period_queries
from chalicelib.features.periods.locks import lock_people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Forbidden

MOST_ROWS = 20_000
ROWS_PER_AUDIT = 1_000  # corrected records are audited in full, in rows of a readable size

_EMPLOYEES = text(statement(__file__, "import_employees"))
_ROSTERS = text(statement(__file__, "import_rosters"))
_EXISTING = text(statement(__file__, "import_existing"))
_WRITE = text(statement(__file__, "import_write"))


def import_rows(scope: Scope, *, rows: Sequence[ImportRow], dry_run: bool) -> AttendanceImportReport:
    """Write the valid rows, each as the whole record of its day, and report the errors of the others.

    An equal record stays as it is, so importing a file twice changes nothing (idempotent).
    """
    if not scope.reaches_all("attendance.write"):
        raise Forbidden("Only who may write everybody's attendance can import it.")
    typed, errors = validate_rows(AttendanceRow, rows)
    matched, unmatched = rules.find_employees(
        typed, _load_employees(scope, typed), last_day=lambda zone: last_day(scope, zone)
    )
    matched, own = four_eyes.without_own(
        scope, four_eyes.Subject.ATTENDANCE, matched, user_of=lambda row: row.employee.user_id, dry_run=dry_run
    )
    unmatched += [RowError(line=row.line, column=None, detail=detail) for row, detail in own]
    facts_by_day, unreadable = rules.read_rows(matched, rosters=_load_rosters(scope, matched))
    if not dry_run:
        # of two equal files at once, the second sees the rows of the first: unchanged, not corrected
        lock_people(scope, {user_id for user_id, _ in facts_by_day})
    existing = _find_existing(scope, facts_by_day)
    changed = {key: facts for key, facts in facts_by_day.items() if not existing.get(key)}
    corrected = sum(key in existing for key in changed)
    if dry_run or not changed:
        locked = _locked_months(scope, changed)
    else:
        locked = periods.touch(scope, changes=list(changed), what="attendance")
        before = scope.session.execute(_WRITE, _to_arrays(scope, changed)).all()
        corrected = len(before)
        decide_pairs(scope, pairs=list(changed))
    report = AttendanceImportReport(
        dry_run=dry_run,
        rows=len(rows),
        added=len(changed) - corrected,
        corrected=corrected,
        unchanged=len(facts_by_day) - len(changed),
        late_corrections=sum(scope.tenant.month_of(day) in locked for _, day in changed) if locked else 0,
        errors=sorted([*errors, *unmatched, *unreadable], key=lambda error: error.line),
    )
    if changed and not dry_run:
        _audit(scope, report, before=before, changed=changed)
    return report


def _load_employees(scope: Scope, rows: Iterable[tuple[int, AttendanceRow]]) -> list[Employee]:
    rows = scope.session.execute(
        _EMPLOYEES,
        {
            "tenant_id": scope.tenant_id,
            "timezone": scope.tenant.timezone,
            "employee_nos": list({row.employee_no for _, row in rows if row.employee_no}),
            "user_ids": list({row.user_id for _, row in rows if row.user_id}),
        },
    )
    return [Employee(*row) for row in rows]


def _load_rosters(scope: Scope, matched: Iterable[MatchedRow]) -> Rosters:
    """Load the rostered shifts, for the employees and days of rows with a time."""
    spans: dict[UUID, tuple[date, date]] = {}
    for place in matched:
        if place.row.check_in:
            day, user_id = place.row.date, place.employee.user_id
            first, last = spans.get(user_id, (day, day))
            spans[user_id] = (min(first, day), max(last, day))
    rows = scope.session.execute(
        _ROSTERS,
        {
            "tenant_id": scope.tenant_id,
            "user_ids": array(spans),
            "firsts": array(first - timedelta(days=DAYS_BEFORE) for first, _ in spans.values()),
            "lasts": array(last + timedelta(days=DAYS_AFTER) for _, last in spans.values()),
        },
    )
    rosters: dict[UUID, dict[date, tuple[time, time]]] = {}
    for row in rows:
        rosters.setdefault(row.user_id, {})[row.day] = (row.starts_at, row.ends_at)
    return rosters


def _find_existing(scope: Scope, facts_by_day: Mapping[Key, Facts]) -> dict[Key, bool]:
    """Return the days that have a record, and whether it is equal."""
    return {
        (row.user_id, row.day): row.is_same for row in scope.session.execute(_EXISTING, _to_arrays(scope, facts_by_day))
    }


def _to_arrays(scope: Scope, facts_by_day: Mapping[Key, Facts]) -> dict[str, Any]:
    return {
        "tenant_id": scope.tenant_id,
        "user_ids": array(user_id for user_id, _ in facts_by_day),
        "days": array(day for _, day in facts_by_day),
        "check_ins": array(facts.check_in_at for facts in facts_by_day.values()),
        "check_outs": array(facts.check_out_at for facts in facts_by_day.values()),
        "minutes": array(facts.worked_minutes for facts in facts_by_day.values()),
        "stated": array(facts.stated for facts in facts_by_day.values()),
        "stated_halves": array(facts.stated_half for facts in facts_by_day.values()),
    }


def _locked_months(scope: Scope, changed: Iterable[Key]) -> list[str]:
    months = {scope.tenant.month_of(day) for _, day in changed}
    return period_queries.list_closed_months(scope, months)


def _audit(
    scope: Scope, report: AttendanceImportReport, *, before: Sequence[Row[Any]], changed: Mapping[Key, Facts]
) -> None:
    counts = report.model_dump(include={"rows", "added", "corrected", "unchanged", "late_corrections"})
    audit.record(
        scope,
        action="attendance.imported",
        entity_type="attendance_import",
        entity_id=scope.origin.request_id,
        after=counts | {"errors": len(report.errors)},
    )
    for start in range(0, len(before), ROWS_PER_AUDIT):
        rows = before[start : start + ROWS_PER_AUDIT]
        audit.record(
            scope,
            action="attendance.corrected",
            entity_type="attendance_import",
            entity_id=scope.origin.request_id,
            before={
                _name_record(row): {name: value for name in FACTS if (value := getattr(row, name)) is not None}
                for row in rows
            },
            after={_name_record(row): _to_audited(changed[row.user_id, row.day]) for row in rows},
        )


def _name_record(row: Row[Any]) -> str:
    return f"{row.user_id}/{row.day}"


def _to_audited(facts: Facts) -> dict[str, Any]:
    return {name: value for name in FACTS if (value := getattr(facts, name, None)) is not None}
