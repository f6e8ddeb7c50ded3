"""What comes in and goes out about the pay register."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from chalicelib.kernel.halves import HalfStatus, Nature
from chalicelib.kernel.schema import NUMBER, Input, LongText, Number, Output, Search, Text
from chalicelib.kernel.states import PeriodStatus


class View(StrEnum):
    """Days as records, or as one string of codes."""

    RECORDS = "records"
    CODES = "codes"


class GridQuery(Input):
    """Which employees, how many on a page, and in which form."""

    department_id: UUID | None = None
    division_id: UUID | None = None
    search: Search | None = Field(None, description="part of a name or an employee number")
    page: int = Field(1, ge=1, le=100_000)
    limit: int = Field(50, ge=1, le=200)
    view: View = View.RECORDS


class ExportQuery(Input):
    """Which employees, and as what kind of file."""

    format: Literal["csv", "xlsx"] = "csv"
    department_id: UUID | None = None
    division_id: UUID | None = None
    search: Search | None = None


class PeriodOut(Output):
    """A pay period."""

    month: str
    start_date: date
    end_date: date
    total_days: int
    status: PeriodStatus
    is_stale: bool = Field(description="facts changed since everybody's register was last computed")


class RegisterEmployee(Output):
    """Whose row it is."""

    id: UUID
    name: str
    employee_no: str
    department_id: UUID | None
    division_id: UUID | None


class RegisterTotals(Output):
    """Always the sum over the days; days and hours, not money."""

    present_days: float = Field(description="od counted in")
    od_days: float
    absent_days: float
    paid_leave_days: float
    lop_days: float
    leave_days: float
    holidays: float
    week_offs: float
    blank_days: float
    extra_days: float
    payable_shifts: float
    ot_hours: float
    late_count: int
    late_minutes: int
    early_out_count: int
    early_out_minutes: int
    leave_by_type: dict[str, float]


class HalfOut(Output):
    """One half of a day: what it is, and where that came from."""

    status: HalfStatus
    source: Literal["attendance", "leave", "od", "roster", "calendar", "policy", "manual"] | None
    leave_type_id: UUID | None = None
    leave_nature: Nature | None = None


class DailyRecord(Output):
    """One day of the register."""

    date: date
    first_half: HalfOut
    second_half: HalfOut
    ot_hours: float
    late_minutes: int
    early_out_minutes: int
    extra_days: float
    payable_units: float
    remarks: str | None
    version: int = Field(description="of the day: raised by every edit of it by hand, 0 before the first; for If-Match")


class RegisterRow(Output):
    """One employee's row of the grid. `halves` and `details` stand in the place of the records in the codes view."""

    user: RegisterEmployee
    version: int = Field(description="raised by every edit by hand in the period")
    totals: RegisterTotals
    daily_records: list[DailyRecord] | None = Field(None, description="in the records view")
    halves: str | None = Field(None, description="in the codes view: two codes a day, of -PALUOHW")
    details: dict[str, dict[str, Any]] | None = Field(
        None, description="in the codes view: kind of detail, then date, then value; only what there is"
    )


class Grid(Output):
    """One page of the register."""

    period: PeriodOut
    days: list[date]
    items: list[RegisterRow]
    page: int
    limit: int
    total: int


class EmployeeRegister(Output):
    """One employee's period."""

    period: PeriodOut
    days: list[date]
    user: RegisterEmployee
    version: int = Field(description="the ETag: raised by every edit by hand in the period; days have their own")
    totals: RegisterTotals
    daily_records: list[DailyRecord]
    late_correction: bool = Field(
        False, description="the period is locked: the change is noted, and its difference is paid later"
    )


class HalfIn(Input):
    """What a person makes of a half. Paid leave names its type, and takes a day of it; the type says its nature."""

    status: HalfStatus
    leave_type_id: UUID | None = None
    leave_nature: Nature | None = None

    @model_validator(mode="after")
    def _leave_only(self) -> "HalfIn":
        if self.status is not HalfStatus.LEAVE and (self.leave_type_id or self.leave_nature):
            raise ValueError("leave_type_id and leave_nature belong to the status leave only")
        if self.status is HalfStatus.LEAVE and self.leave_type_id is None and self.leave_nature is not Nature.LOP:
            raise ValueError("name the leave_type_id whose days it takes, or say leave_nature lop: leave without pay")
        return self


Hours = Annotated[Decimal, Field(ge=0, le=24, decimal_places=2), NUMBER]
Days = Annotated[Decimal, Field(ge=0, le=10, decimal_places=2), NUMBER]


class DayEdit(Input):
    """A whole day by hand: one status or its halves, hours and remarks; what is left out goes back to the facts."""

    status: HalfStatus | None = None
    leave_type_id: UUID | None = None
    leave_nature: Nature | None = None
    first_half: HalfIn | None = None
    second_half: HalfIn | None = None
    ot_hours: Hours | None = Field(None, description="replaces the day's approved overtime")
    extra_days: Days | None = Field(None, description="days paid on top")
    remarks: LongText | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "DayEdit":
        if self.status is not None and (self.first_half or self.second_half):
            raise ValueError("give either a status for the whole day, or its halves")
        if self.status is None and (self.leave_type_id or self.leave_nature):
            raise ValueError("leave_type_id and leave_nature need the status leave")
        if (*self.halves(), self.ot_hours, self.extra_days, self.remarks) == (None,) * 5:
            raise ValueError("say at least one of status, first_half, second_half, ot_hours, extra_days, remarks")
        return self

    def halves(self) -> tuple[HalfIn | None, HalfIn | None]:
        """Return both halves as they were meant."""
        if self.status is None:
            return self.first_half, self.second_half
        whole = HalfIn(status=self.status, leave_type_id=self.leave_type_id, leave_nature=self.leave_nature)
        return whole, whole

    def cells(self) -> dict[str, Any]:
        """Return the value of every cell of the day, None where it goes back to the facts."""
        first, second = self.halves()
        return {
            "first_half": first,
            "second_half": second,
            "ot_hours": self.ot_hours,
            "extra_days": self.extra_days,
            "remarks": self.remarks,
        }


class DayMerge(Input):
    """Some cells of a day by hand; null gives a cell back to the facts, what is left out stays as it is."""

    first_half: HalfIn | None = None
    second_half: HalfIn | None = None
    ot_hours: Hours | None = Field(None, description="replaces the day's approved overtime")
    extra_days: Days | None = Field(None, description="days paid on top")
    remarks: LongText | None = None

    @model_validator(mode="after")
    def _names_something(self) -> "DayMerge":
        if not self.model_fields_set:
            raise ValueError("say at least one of first_half, second_half, ot_hours, extra_days, remarks")
        return self

    def cells(self) -> dict[str, Any]:
        """Return the value of each cell that is named."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class EditOut(Output):
    """The cells of a day as one edit by hand left them, in force or not any more."""

    id: UUID
    date: date
    version: int = Field(description="of the day after this edit")
    changed: list[str] = Field(description="the cells that this edit set, changed or gave back to the facts")
    first_half: HalfStatus | None
    second_half: HalfStatus | None
    ot_hours: Number | None
    extra_days: Number | None
    remarks: str | None
    edited_by: str
    edited_at: datetime
    superseded_by: str | None
    superseded_at: datetime | None


class SyncRequest(Input):
    """Whom to compute again; everybody if left out."""

    user_ids: list[UUID] | None = Field(None, min_length=1, max_length=1000)


class Unlock(Input):
    """Why a locked period is opened again."""

    reason: Text
