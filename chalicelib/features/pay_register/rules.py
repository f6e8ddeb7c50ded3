"""From a register row's codes and masks to records of days. Pure: it adds nothing and sums nothing."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NotRequired, Protocol, TypedDict
from uuid import UUID

from chalicelib.kernel.halves import STATUS_OF

_SOURCE_OF = {"L": "leave", "U": "leave", "O": "od", "H": "calendar", "-": None}
_NONE: Mapping[str, Any] = {}
# cells and the columns of day_edits that hold them
_CELLS = {
    "first_half": ("first_code", "first_leave_type_id"),
    "second_half": ("second_code", "second_leave_type_id"),
    "ot_hours": ("ot_hours",),
    "extra_days": ("extra_days",),
    "remarks": ("remarks",),
}


_KINDS = ("ot_hours", "late_minutes", "early_out_minutes", "extra_days", "payable_units", "remarks", "version")


class Masks(TypedDict):
    """Bits per half of the period, the last half lowest: where a half came from."""

    manual: int
    recorded: int
    rostered: int


class CodesRow(TypedDict):
    """What is read of a row of the codes view (sql/grid.sql)."""

    halves: str
    details: Mapping[str, Mapping[str, Any]]  # kind of detail, then date, then value
    masks: Masks
    units: float


class HalfRecord(TypedDict):
    """One half of a day, as schemas.HalfOut."""

    status: str
    source: str | None
    leave_nature: NotRequired[str]
    leave_type_id: NotRequired[str | None]


class DayRecord(TypedDict):
    """One day, as schemas.DailyRecord."""

    date: str
    first_half: HalfRecord
    second_half: HalfRecord
    ot_hours: float
    late_minutes: int
    early_out_minutes: int
    extra_days: float
    payable_units: float
    remarks: str | None
    version: int


class EditedCells(Protocol):
    """The cells of a day as an edit by hand left them; None: back to the facts."""

    @property
    def first_code(self) -> str | None: ...
    @property
    def first_leave_type_id(self) -> UUID | None: ...
    @property
    def second_code(self) -> str | None: ...
    @property
    def second_leave_type_id(self) -> UUID | None: ...
    @property
    def ot_hours(self) -> Decimal | None: ...
    @property
    def extra_days(self) -> Decimal | None: ...
    @property
    def remarks(self) -> str | None: ...


def day_records(days: list[date], row: CodesRow) -> list[DayRecord]:
    """Write each day of a row of the codes view as a record; a stub has none."""
    halves, details, masks = row["halves"], row["details"], row["masks"]
    if not halves:
        return []
    manual, recorded, rostered = masks["manual"], masks["recorded"], masks["rostered"]
    leave_types = {
        half: leave_type for leave_type, taken in details.get("leave_halves", _NONE).items() for half in taken
    }
    values = {kind: details.get(kind, _NONE) for kind in _KINDS}  # kind of detail, then date, then value

    def half(index: int) -> HalfRecord:
        bit = len(halves) - 1 - index
        plain = _half_record(halves[index], manual >> bit & 1, recorded >> bit & 1, rostered >> bit & 1)
        return {**plain, "leave_type_id": leave_types[index]} if index in leave_types else plain

    return [
        {
            "date": day,
            "first_half": half(2 * number),
            "second_half": half(2 * number + 1),
            "ot_hours": values["ot_hours"].get(day, 0),
            "late_minutes": values["late_minutes"].get(day, 0),
            "early_out_minutes": values["early_out_minutes"].get(day, 0),
            "extra_days": values["extra_days"].get(day, 0),
            "payable_units": values["payable_units"].get(day, row["units"]),
            "remarks": values["remarks"].get(day),
            "version": values["version"].get(day, 0),
        }
        for number, day in enumerate(map(str, days))
    ]


@cache
def _half_record(code: str, is_manual: int, is_recorded: int, is_rostered: int) -> HalfRecord:
    """Return the record of a half. There are few kinds, so each is made once and shared; nobody writes into them."""
    status, nature = STATUS_OF[code]
    half: HalfRecord = {"status": status.value, "source": _source(code, is_manual, is_recorded, is_rostered)}
    if nature is not None:
        half["leave_nature"], half["leave_type_id"] = nature.value, None
    return half


def _source(code: str, is_manual: int, is_recorded: int, is_rostered: int) -> str | None:
    if is_manual:
        return "manual"
    if code in "PA":
        return "attendance" if is_recorded else "policy"
    if code == "W":
        return "roster" if is_rostered else "calendar"
    return _SOURCE_OF[code]


def cells_of(edit: EditedCells) -> list[tuple[object, ...] | None]:
    """Return the value of each cell of an edit, None where it goes back to the facts."""
    return [
        tuple(getattr(edit, column) for column in columns) if getattr(edit, columns[0]) is not None else None
        for columns in _CELLS.values()
    ]


def changed_cells(before: EditedCells | None, after: EditedCells) -> list[str]:
    """Name the cells that differ between two edits of a day; None before its first."""
    old_cells = cells_of(before) if before is not None else [None] * len(_CELLS)
    return [name for name, old, new in zip(_CELLS, old_cells, cells_of(after), strict=True) if old != new]
