"""What comes in and goes out about an import of attendance."""

import re
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.entry.rows import RowDate, RowError, RowInput
from chalicelib.features.attendance.schemas import Stated, WorkedMinutes
from chalicelib.kernel.halves import Half
from chalicelib.kernel.period import FIRST_YEAR, LAST_YEAR
from chalicelib.kernel.schema import Output


def _lower(said: Any) -> Any:
    return said.strip().lower() if isinstance(said, str) else said


def _whole_number(value: Any) -> Any:
    # Pydantic alone would take 1_000 for a thousand and true for one
    is_plain = re.fullmatch(r"[0-9]{1,5}(\.0+)?", value.strip(), re.ASCII) if isinstance(value, str) else True
    if isinstance(value, bool) or not is_plain:
        raise ValueError("is not a whole number of minutes such as 540")
    return value


def _in_our_years(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"must be from {FIRST_YEAR}-01-01 to {LAST_YEAR}-12-31")
    return day


Clock = Annotated[str, Field(max_length=40)]


class AttendanceRow(RowInput):
    """One row of the file; every cell but the date may be empty."""

    employee_no: Annotated[str, Field(max_length=200)] | None = None
    user_id: UUID | None = None
    date: Annotated[RowDate, AfterValidator(_in_our_years)]
    check_in: Clock | None = None
    check_out: Clock | None = None
    worked_minutes: Annotated[WorkedMinutes, BeforeValidator(_whole_number)] | None = None
    status: Annotated[Stated, BeforeValidator(_lower)] | None = None
    half: Annotated[Half, BeforeValidator(_lower)] | None = None


COLUMNS = [name for name in AttendanceRow.model_fields if name != "date"]


class ImportReport(Output):
    """What became of the rows; a row with an error changed nothing."""

    dry_run: bool
    rows: int = Field(description="rows in the file")
    added: int
    corrected: int = Field(description="there was a record of that day that said something else")
    unchanged: int
    late_corrections: int = Field(description="rows added or corrected in a locked pay period; paid later")
    errors: list[RowError]
