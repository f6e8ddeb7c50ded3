"""From a register row's codes and masks to records that a person reads. Pure: it adds nothing and sums nothing."""

from datetime import date
from typing import Any

from chalicelib.kernel.halves import STATUS_OF

_SOURCE_OF = {"L": "leave", "U": "leave", "O": "od", "H": "calendar", "-": None}


def records(days: list[date], row: dict[str, Any]) -> list[dict[str, Any]]:
    """This will spell out each day of a row of the codes view; a stub has none."""
    halves, details = row["halves"], row["details"]
    if not halves:
        return []
    leave_types = {half: kind for kind, taken in details.get("leave_halves", {}).items() for half in taken}

    def half(index: int) -> dict[str, Any]:
        return _half(halves[index], _Masks(row["masks"], len(halves) - 1 - index), leave_types.get(index))

    return [
        {
            "date": said,
            "first_half": half(2 * number),
            "second_half": half(2 * number + 1),
            "ot_hours": details.get("ot_hours", {}).get(said, 0),
            "late_minutes": details.get("late_minutes", {}).get(said, 0),
            "early_out_minutes": details.get("early_out_minutes", {}).get(said, 0),
            "extra_days": details.get("extra_days", {}).get(said, 0),
            "payable_units": details.get("payable_units", {}).get(said, row["units"]),
            "remarks": details.get("remarks", {}).get(said),
        }
        for number, day in enumerate(days)
        for said in (day.isoformat(),)
    ]


class _Masks:
    """Which masks have the bit of one half."""

    def __init__(self, masks: dict[str, int], bit: int) -> None:
        self.manual = masks["manual"] >> bit & 1
        self.recorded = masks["recorded"] >> bit & 1
        self.rostered = masks["rostered"] >> bit & 1


def _half(code: str, has: _Masks, leave_type: str | None) -> dict[str, Any]:
    status, nature = STATUS_OF[code]
    found: dict[str, Any] = {"status": status, "source": _source(code, has)}
    if nature is not None:
        found["leave_nature"] = nature
        found["leave_type_id"] = leave_type
    return found


def _source(code: str, has: _Masks) -> str | None:
    if has.manual:
        return "manual"
    if code in "PA":
        return "attendance" if has.recorded else "policy"
    if code == "W":
        return "roster" if has.rostered else "calendar"
    return _SOURCE_OF[code]
