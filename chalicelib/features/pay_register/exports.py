"""The register as a file: CSV that is safe to open in a spreadsheet, and XLSX."""

from collections.abc import Iterator
from typing import Any

from chalicelib.entry.http import FileReply
from chalicelib.entry.sheets import CSV, XLSX, escape_formula, write_csv, write_xlsx
from chalicelib.features.pay_register import queries
from chalicelib.features.pay_register.schemas import ExportQuery, RegisterTotals
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import TooLarge
from chalicelib.kernel.period import Period

BATCH = 1000
MOST_EMPLOYEES = 10_000  # about 4 MB, of the 6 MB that one response of a Lambda function may have
_COUNTED = [name for name in RegisterTotals.model_fields if name != "leave_by_type"]
_LETTERS = {"-": "", "P": "P", "A": "A", "L": "L", "U": "LOP", "O": "OD", "H": "H", "W": "WO"}


def export(scope: Scope, *, month: str, query: ExportQuery) -> FileReply:
    """Write one row per employee: who, the totals, and each day as `P` or, where halves differ, `P/A`."""
    period = scope.tenant.period(month)
    header = ["employee_no", "name", *_COUNTED, *(day.isoformat() for day in period.days)]
    lines = _iterate_lines(scope, period, query)
    if query.format == "csv":
        return FileReply(write_csv(header, lines), CSV, f"pay-register-{month}.csv")
    return FileReply(write_xlsx(header, lines, title=month), XLSX, f"pay-register-{month}.xlsx")


def _iterate_lines(scope: Scope, period: Period, query: ExportQuery) -> Iterator[list[Any]]:
    page = 1
    while rows := queries.rows_for_export(scope, period=period, query=query, page=page, limit=BATCH):
        if page * BATCH > MOST_EMPLOYEES:
            raise TooLarge(f"More than {MOST_EMPLOYEES:,} employees; export department by department.")
        for row in rows:
            user, totals, halves = row["user"], row["totals"], row["halves"]
            days = (
                [_day_text(halves[2 * n : 2 * n + 2]) for n in range(period.length)] if halves else [""] * period.length
            )
            yield [
                escape_formula(user["employee_no"]),
                escape_formula(user["name"]),
                *(totals[name] for name in _COUNTED),
                *days,
            ]
        page += 1


def _day_text(codes: str) -> str:
    """Write the two codes of a day, once where they are the same."""
    first, second = (_LETTERS[code] for code in codes)
    return first if first == second else f"{first or '-'}/{second or '-'}"
