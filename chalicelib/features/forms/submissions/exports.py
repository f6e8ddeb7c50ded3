"""A form's submissions as a file: the employee, the outcome, and one column for each field of all its versions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from chalicelib.backing.files import safe_name
from chalicelib.entry.http import FileReply
from chalicelib.entry.sheets import CSV, XLSX, escape_formula, write_csv, write_xlsx
from chalicelib.features.forms.definitions import queries as definition_queries
from chalicelib.features.forms.definitions.field_schemas import FieldType, FormField
from chalicelib.features.forms.submissions import queries as submissions
from chalicelib.features.forms.submissions.queries import SubmissionForExport
from chalicelib.features.forms.submissions.schemas import SubmissionExportQuery
from chalicelib.features.forms.submissions.value_rules import ADDRESS, is_number
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import TooLarge

BATCH = 500
LARGEST = 4_000_000  # characters: a function's answer has 6 MB, and a workbook travels as base64
HEAD = ("submission_id", "employee_no", "name", "status", "version_number", "submitted_at", "reviewed_at", "notes")


def export(scope: Scope, *, form_id: UUID, query: SubmissionExportQuery) -> FileReply:
    """Write one row per submission, oldest first; files as their names, several values as `a; b`."""
    form = definition_queries.get_form(scope, form_id)
    fields = definition_queries.list_fields_of_all_versions(scope, form_id)
    head = [*HEAD, *(escape_formula(name) for name in _headings(fields))]
    lines = _limit_size(_list_lines(scope, form_id, fields, query))
    name = safe_name(f"{form.name}-submissions")
    if query.format == "csv":
        return FileReply(write_csv(head, lines), CSV, f"{name}.csv")
    return FileReply(write_xlsx(head, lines, title="Submissions"), XLSX, f"{name}.xlsx")


def _headings(fields: Sequence[FormField]) -> list[str]:
    """Return each field's label, with its name where several have the same label."""
    count = Counter(field.field_label for field in fields)
    return [
        field.field_label if count[field.field_label] == 1 else f"{field.field_label} ({field.field_name})"
        for field in fields
    ]


def _list_lines(
    scope: Scope, form_id: UUID, fields: Sequence[FormField], query: SubmissionExportQuery
) -> Iterator[list[Any]]:
    """Yield a line per submission; they are read in batches, by key."""
    zone, after = scope.tenant.timezone, None
    while rows := submissions.list_for_export(scope, form_id, status=query.status, after=after, limit=BATCH):
        for row in rows:
            values = {**row.data, **_files_by_field(row)}
            yield [
                str(row.id),
                escape_formula(row.employee_no or ""),
                escape_formula(row.name),
                row.status,
                row.version_number,
                _format_moment(row.submitted_at, zone),
                _format_moment(row.reviewed_at, zone),
                escape_formula(row.notes or ""),
                *(_format_cell(field, values.get(field.field_name)) for field in fields),
            ]
        after = rows[-1].id


def _limit_size(lines: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """Pass lines on. Raises TooLarge where they have more text than a reply can carry."""
    written = 0
    for line in lines:
        written += sum(len(str(cell)) + 1 for cell in line)
        if written > LARGEST:
            raise TooLarge("There is more than one file can hold; export by status.")
        yield line


def _files_by_field(row: SubmissionForExport) -> dict[str, list[str]]:
    by_field: dict[str, list[str]] = {}
    for field_name, file_name in row.files or ():
        by_field.setdefault(field_name, []).append(file_name)
    return by_field


def _format_moment(moment: datetime | None, timezone: str) -> str:
    return moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds") if moment else ""


def _format_cell(field: FormField, value: Any) -> str | int | float | Decimal:
    """Return a value as a cell: numbers as numbers, everything else as text that no spreadsheet computes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and field.field_type is FieldType.NUMBER and is_number(value):
        return Decimal(value)
    if isinstance(value, list):
        return escape_formula("; ".join(str(one) for one in value))
    if isinstance(value, dict):
        return escape_formula(", ".join(str(value[part]) for part in ADDRESS if part in value))
    return escape_formula(str(value))
