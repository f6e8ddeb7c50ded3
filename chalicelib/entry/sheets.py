"""Tables as files that people open in a spreadsheet: CSV and XLSX."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# how a formula begins, also in the wide forms of Asian keyboards, which some spreadsheets take for the narrow ones
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text: str) -> str:
    """Quote a cell that a spreadsheet would run as a formula when it opens the file."""
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) or text.lstrip().startswith(_BEGINS_FORMULA) else text


def write_csv(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """Write a table as CSV; texts from outside are made `safe` before."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(lines)
    return file.getvalue()


def write_xlsx(head: Sequence[str], lines: Iterable[Sequence[Any]], *, title: str) -> bytes:
    """Write a table as a workbook of one sheet, its first row and two columns staying in sight."""
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 2)
        sheet.write_row(0, 0, head, book.add_format({"bold": True}))
        for number, line in enumerate(lines, start=1):
            sheet.write_row(number, 0, line)
    return file.getvalue()
