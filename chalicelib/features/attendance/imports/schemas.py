"""What comes in and goes out about an import of attendance."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field

from chalicelib.entry.rows import RowError, RowInput
from chalicelib.features.attendance.records.schemas import ClockOrMoment, Stated, WorkedMinutes
from chalicelib.kernel.halves import Half
from chalicelib.kernel.moments import Day
from chalicelib.kernel.numbers import read_whole
from chalicelib.kernel.schema import Output, Text


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class AttendanceRow(RowInput):
    """One row of the file; every cell but the date may be empty."""

    employee_no: Text | None = None
    user_id: UUID | None = None
    date: Day
    check_in: ClockOrMoment | None = None
    check_out: ClockOrMoment | None = None
    worked_minutes: Annotated[WorkedMinutes, BeforeValidator(read_whole)] | None = None
    status: Annotated[Stated, BeforeValidator(_lower)] | None = None
    half: Annotated[Half, BeforeValidator(_lower)] | None = None


COLUMNS = [name for name in AttendanceRow.model_fields if name != "date"]


class AttendanceImportReport(Output):
    """What became of the rows; a row with an error changed nothing."""

    dry_run: bool
    rows: int = Field(description="rows in the file")
    added: int
    corrected: int = Field(description="there was a record of that day that said something else")
    unchanged: int
    late_corrections: int = Field(description="rows added or corrected in a locked pay period; paid later")
    errors: list[RowError]
