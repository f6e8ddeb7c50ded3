"""Many rows in one body, as JSON or CSV: each keeps its line, and a wrong one is told without losing the others."""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chalicelib.entry.bodies import LARGEST_BODY, RawBody, check_text, load_json
from chalicelib.entry.problems import message_of
from chalicelib.kernel.errors import Invalid, TooLarge, Unreadable
from chalicelib.kernel.schema import Input, Output
from chalicelib.kernel.text import harmless_line

M = TypeVar("M", bound=BaseModel)
CSV_OR_JSON = ("text/csv", "application/json")  # what a door that imports rows `accepts`


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row as it came; `values` has no empty cells. `wrong` says why it cannot even be taken apart."""

    line: int  # of a CSV file, its header being line 1; of a JSON array, the row's place from 1
    values: dict[str, Any]
    wrong: str | None = None


class ImportQuery(Input):
    """Whether to write at all."""

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
    """Read a body's rows, at most `limit`. CSV is UTF-8 with a header; blank lines are skipped.

    The header is checked as a whole; JSON rows are checked one by one, by the model that `checked` is given.
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
    """Make each good row a model, with its line, and say what is wrong with the others."""
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


def _describe_problem(problem: Any) -> str:
    known = {"missing": "is missing", "extra_forbidden": "is not a column that we know"}
    return known.get(problem["type"]) or message_of(problem)


def _read_csv(data: bytes, *, required: Collection[str], optional: Collection[str], limit: int) -> list[ImportRow]:
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
    names = [harmless_line(cell).lower().replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()  # a spreadsheet's trailing empty columns
    known = f"The columns are {', '.join(required)}" + (f"; and if wanted {', '.join(optional)}" if optional else "")
    if strange := [name or "(no name)" for name in names if name not in {*required, *optional}]:
        raise Invalid(f"The header has columns that we do not know: {', '.join(strange)[:500]}. {known}.")
    if missing := [name for name in required if name not in names]:
        raise Invalid(f"The header lacks {', '.join(missing)}. {known}.")
    if len(set(names)) != len(names):
        raise Invalid("The header names a column twice.")
    return names


def _check_row_limit(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge(f"There are more than {limit:,} rows; send them in parts of at most {limit:,}.")
