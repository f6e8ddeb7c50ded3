"""Imports: many rows in one body, JSON or CSV. Each keeps its line number; a wrong row stops no other."""

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chalicelib.entry.bodies import LARGEST_BODY, RawBody, check_text, load_json
from chalicelib.entry.problems import message_of
from chalicelib.kernel.errors import Invalid, TooLarge, Unreadable
from chalicelib.kernel.schema import Input, Output
from chalicelib.kernel.text import harmless_line

M = TypeVar("M", bound=BaseModel)
CSV_OR_JSON = ("text/csv", "application/json")  # what an endpoint that imports rows `accepts`


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row as it was sent, without empty cells; `wrong` is why it cannot be split into columns, if so."""

    line: int  # of a CSV file, its header being line 1; of a JSON array, the row's place from 1
    values: dict[str, Any]
    wrong: str | None = None


class ImportQuery(Input):
    """Options of an import."""

    dry_run: bool = Field(False, description="true: say what would happen, and write nothing")


class RowError(Output):
    """What is wrong with one row; `column` is null where it is the row as a whole."""

    line: int
    column: str | None
    detail: str


class RowInput(BaseModel):
    """A row's model: text becomes numbers and dates, numbers become text, unknown columns are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, coerce_numbers_to_str=True)


def read_rows(body: RawBody, *, required: Collection[str], optional: Collection[str], limit: int) -> list[ImportRow]:
    """Split a body into rows, at most `limit`. CSV is UTF-8 with a header; blank lines are skipped.

    A CSV header is checked here; the columns of JSON rows are checked row by row, by the model of `validate_rows`.
    """
    if body.content_type.partition(";")[0].strip().lower() == "text/csv":
        return _read_csv(body.data, required=required, optional=optional, limit=limit)
    value = load_json(body.data)
    if isinstance(value, dict) and list(value) == ["rows"]:
        value = value["rows"]
    if not isinstance(value, list):
        raise Invalid("Send a JSON array of rows, or an object with the array as `rows`.")
    _check_row_limit(len(value), limit)
    return [
        ImportRow(line, {name: cell for name, cell in row.items() if cell is not None and cell != ""})
        if isinstance(row, dict)
        else ImportRow(line, {}, wrong="is not an object of columns and values")
        for line, row in enumerate(value, start=1)
    ]


def validate_rows(model: type[M], rows: Sequence[ImportRow]) -> tuple[list[tuple[int, M]], list[RowError]]:
    """Return the valid rows as models with their line numbers, and the errors of the others."""
    good: list[tuple[int, M]] = []
    errors: list[RowError] = []
    for row in rows:
        if row.wrong:
            errors.append(RowError(line=row.line, column=None, detail=row.wrong))
            continue
        try:
            good.append((row.line, model.model_validate(row.values, strict=False)))
        except ValidationError as error:
            errors += [
                RowError(
                    line=row.line,
                    column=str(problem["loc"][0]) if problem["loc"] else None,
                    detail=_describe_problem(problem),
                )
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
            ]
    return good, errors


def _describe_problem(problem: Mapping[str, Any]) -> str:
    known = {"missing": "is missing", "extra_forbidden": "is not a column that we know"}
    return known.get(problem["type"]) or message_of(problem)


def _read_csv(data: bytes, *, required: Collection[str], optional: Collection[str], limit: int) -> list[ImportRow]:
    """Parse CSV with commas or semicolons; a row's line is where it begins in the file, as cells may have line ends."""
    if len(data) > LARGEST_BODY:
        raise TooLarge(f"The file has {len(data):,} bytes; at most {LARGEST_BODY:,} can be taken. Send it in parts.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The file is not UTF-8 (byte {error.start + 1}); save it as CSV UTF-8.") from None
    check_text(text)
    first = text.lstrip().partition("\n")[0]
    # where the decimal comma is used, spreadsheets write CSV with semicolons
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    rows: list[ImportRow] = []
    ended = 0
    try:
        for cells in reader:
            line, ended = ended + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _read_header(cells, required=required, optional=optional)
            else:
                rows.append(_read_csv_row(line, header, cells))
                _check_row_limit(len(rows), limit)
    except csv.Error as error:
        raise Invalid(f"The file cannot be read as CSV at line {reader.line_num}: {error}.") from None
    if header is None:
        raise Unreadable("The file is empty; its first line must name the columns.")
    return rows


def _read_csv_row(line: int, header: list[str], cells: list[str]) -> ImportRow:
    if any(cell.strip() for cell in cells[len(header) :]):
        return ImportRow(line, {}, wrong=f"has {len(cells)} cells, and the header names {len(header)} columns")
    return ImportRow(line, {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()})


def _read_header(cells: list[str], *, required: Collection[str], optional: Collection[str]) -> list[str]:
    """Return the names of the columns. Raises Invalid for an unknown, a missing or a repeated one."""
    names = [harmless_line(cell).lower().replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()  # a spreadsheet's trailing empty columns
    known = f"The columns are {', '.join(required)}" + (f"; and if wanted {', '.join(optional)}" if optional else "")
    if unknown := [name or "(no name)" for name in names if name not in {*required, *optional}]:
        raise Invalid(f"The header has columns that we do not know: {', '.join(unknown)[:500]}. {known}.")
    if missing := [name for name in required if name not in names]:
        raise Invalid(f"The header lacks {', '.join(missing)}. {known}.")
    if len(set(names)) != len(names):
        raise Invalid("The header names a column twice.")
    return names


def _check_row_limit(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge(f"There are more than {limit:,} rows; send them in parts of at most {limit:,}.")
