"""From a register row's codes and masks to records that a person reads. Pure: it adds nothing and sums nothing."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from chalicelib.kernel.halves import STATUS_OF

_SOURCE_OF = {"L": "leave", "U": "leave", "O": "od", "H": "calendar", "-": None}
_NOTHING: dict[str, Any] = {}
_CELLS = {
    "first_half": ("first_code", "first_leave_type_id"),
    "second_half": ("second_code", "second_leave_type_id"),
    "ot_hours": ("ot_hours",),
    "extra_days": ("extra_days",),
    "remarks": ("remarks",),
}


def records(days: list[date], row: dict[str, Any]) -> list[dict[str, Any]]:
    """Spell out each day of a row of the codes view; a stub has none."""
    halves, details, masks = row["halves"], row["details"], row["masks"]
    if not halves:
        return []
    manual, recorded, rostered = masks["manual"], masks["recorded"], masks["rostered"]
    leave_types = {half: kind for kind, taken in details.get("leave_halves", _NOTHING).items() for half in taken}
    of_kind = {
        name: details.get(name, _NOTHING)
        for name in (
            "ot_hours",
            "late_minutes",
            "early_out_minutes",
            "extra_days",
            "payable_units",
            "remarks",
            "version",
        )
    }

    def half(index: int) -> dict[str, Any]:
        bit = len(halves) - 1 - index
        plain = _half(halves[index], manual >> bit & 1, recorded >> bit & 1, rostered >> bit & 1)
        return {**plain, "leave_type_id": leave_types[index]} if index in leave_types else plain

    return [
        {
            "date": said,
            "first_half": half(2 * number),
            "second_half": half(2 * number + 1),
            "ot_hours": of_kind["ot_hours"].get(said, 0),
            "late_minutes": of_kind["late_minutes"].get(said, 0),
            "early_out_minutes": of_kind["early_out_minutes"].get(said, 0),
            "extra_days": of_kind["extra_days"].get(said, 0),
            "payable_units": of_kind["payable_units"].get(said, row["units"]),
            "remarks": of_kind["remarks"].get(said),
            "version": of_kind["version"].get(said, 0),
        }
        for number, said in enumerate(map(str, days))
    ]


@cache
def _half(code: str, is_manual: int, is_recorded: int, is_rostered: int) -> dict[str, Any]:
    """There are few kinds of halves, so each is made once; nobody writes into them."""
    status, nature = STATUS_OF[code]
    found: dict[str, Any] = {"status": status.value, "source": _source(code, is_manual, is_recorded, is_rostered)}
    if nature is not None:
        found |= {"leave_nature": nature.value, "leave_type_id": None}
    return found


def _source(code: str, is_manual: int, is_recorded: int, is_rostered: int) -> str | None:
    if is_manual:
        return "manual"
    if code in "PA":
        return "attendance" if is_recorded else "policy"
    if code == "W":
        return "roster" if is_rostered else "calendar"
    return _SOURCE_OF[code]


def cells_of(edit: Mapping[str, Any]) -> list[Any]:
    """Return what an edit's row says of each cell, None where the facts speak."""
    return [
        tuple(edit[column] for column in columns) if edit[columns[0]] is not None else None
        for columns in _CELLS.values()
    ]


def changed_cells(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    """Name the cells that differ between two edits of a day; None before its first."""
    was = cells_of(before) if before is not None else [None] * len(_CELLS)
    return [name for name, old, new in zip(_CELLS, was, cells_of(after), strict=True) if old != new]
