"""The register as a file: CSV that is safe to open in a spreadsheet, and XLSX."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from chalicelib.entry.http import Document
from chalicelib.features.pay_register import queries
from chalicelib.features.pay_register.schemas import ExportQuery, Totals
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import TooLarge
from chalicelib.kernel.period import Period

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BATCH = 1000
MOST_EMPLOYEES = 10_000  # about 4 MB, of the 6 MB that one answer of a function may have
_COUNTED = [name for name in Totals.model_fields if name != "leave_by_type"]
_SIGNS = {"-": "", "P": "P", "A": "A", "L": "L", "U": "LOP", "O": "OD", "H": "H", "W": "WO"}


def export(scope: Scope, *, month: str, query: ExportQuery) -> Document:
    """This will write one row per employee: who, the totals, and each day as `P` or, where halves differ, `P/A`."""
    period = scope.tenant.period(month)
    head = ["employee_no", "name", *_COUNTED, *(day.isoformat() for day in period.days)]
    lines = _lines(scope, period, query)
    if query.format == "csv":
        return Document(_csv(head, lines), "text/csv; charset=utf-8", f"pay-register-{month}.csv")
    return Document(_xlsx(head, lines, month), XLSX, f"pay-register-{month}.xlsx")


def _lines(scope: Scope, period: Period, query: ExportQuery) -> Iterator[list[Any]]:
    page = 1
    while rows := queries.rows_for_export(scope, period=period, query=query, page=page, limit=BATCH):
        if page * BATCH > MOST_EMPLOYEES:
            raise TooLarge(f"More than {MOST_EMPLOYEES:,} employees; export department by department.")
        for row in rows:
            user, totals, halves = row["user"], row["totals"], row["halves"]
            days = [_day(halves[2 * n : 2 * n + 2]) for n in range(period.length)] if halves else [""] * period.length
            yield [_safe(user["employee_no"]), _safe(user["name"]), *(totals[name] for name in _COUNTED), *days]
        page += 1


def _day(codes: str) -> str:
    first, second = (_SIGNS[code] for code in codes)
    return first if first == second else f"{first or '-'}/{second or '-'}"


def _safe(said: str) -> str:
    """A cell that starts like a formula would be run by the spreadsheet that opens the file."""
    return f"'{said}" if said[:1] in "=+-@\t\r" else said


def _csv(head: list[str], lines: Iterator[list[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(lines)
    return file.getvalue()


def _xlsx(head: list[str], lines: Iterator[list[Any]], month: str) -> bytes:
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(month)
        sheet.freeze_panes(1, 2)
        sheet.write_row(0, 0, head, book.add_format({"bold": True}))
        for number, line in enumerate(lines, start=1):
            sheet.write_row(number, 0, line)
    return file.getvalue()
