"""Tables as spreadsheet files, CSV and XLSX, safe from formula injection (CSV injection)."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# how a formula begins; also the fullwidth forms of Asian keyboards, which some spreadsheets treat the same
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text: str) -> str:
    """Return a cell's text with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) or text.lstrip().startswith(_BEGINS_FORMULA) else text


def write_csv(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV; texts from outside go through `escape_formula` first."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(lines)
    return file.getvalue()


def write_xlsx(head: Sequence[str], lines: Iterable[Sequence[Any]], *, title: str) -> bytes:
    """Return a table as a workbook of one sheet, its first row and first two columns frozen."""
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 2)
        sheet.write_row(0, 0, head, book.add_format({"bold": True}))
        for number, line in enumerate(lines, start=1):
            sheet.write_row(number, 0, line)
    return file.getvalue()
