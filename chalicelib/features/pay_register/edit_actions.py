"""Edits by hand, cell by cell: a half, hours, extra days or remarks set by a user win over the facts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.entry.versions import check_version
from chalicelib.features.leave.types.queries import get_leave_type
from chalicelib.features.pay_register import queries
from chalicelib.features.pay_register.queries import EmployeePeriod
from chalicelib.features.pay_register.rules import DayRecord
from chalicelib.features.pay_register.schemas import HalfIn
from chalicelib.features.periods import facts
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.halves import HalfStatus, Nature, code_of

CELLS = ("first_half", "second_half", "ot_hours", "extra_days", "remarks")
_EDIT = text(statement(__file__, "edit_days"))

Cells = Mapping[str, Any]  # a value by name, of those of CELLS that are named; None: back to the facts


@dataclass(frozen=True, slots=True)
class EditResult:
    """A day's version before an edit, and whether the edit changed anything (sql/edit_days.sql)."""

    version: int
    is_changed: bool


def edit_day(
    scope: Scope,
    *,
    month: str,
    user_id: UUID,
    day: date,
    cells: Cells,
    if_match: int | None,
    action: str = "pay_register.edited",
) -> EmployeePeriod:
    """Set the named cells of a day in place of the facts, and compute the employee again.

    `if_match` is the day's version that the caller saw. In a locked period the edit is kept as a fact and noted as a
    late correction; the register stays as paid. An edit to the values that the day has already changes nothing.
    """
    four_eyes.check_not_own(scope, four_eyes.Subject.REGISTER, user_id)
    _check_day(scope, month, day)
    with facts.changing(scope, changes=[(user_id, day)], what="edit", even_ahead=True) as change:
        before = queries.get_row(scope, month=month, user_id=user_id)
        result = rows.one(EditResult, scope.session.execute(_EDIT, _values(scope, user_id, day, cells)))
        check_version({"version": result.version}, if_match)
        change.is_void = not result.is_changed
    if change.is_void:
        return before
    after = queries.get_row(scope, month=month, user_id=user_id)
    audit.record(
        scope,
        action=action,
        entity_type="pay_register",
        entity_id=f"{month}/{user_id}/{day}",
        before=_find_record(before, day),
        after=_find_record(after, day),
    )
    return replace(after, late_correction=month in change.late)


def clear_day(scope: Scope, *, month: str, user_id: UUID, day: date, if_match: int | None) -> EmployeePeriod:
    """Give every cell of a day back to the facts; clearing a day that was never edited changes nothing."""
    return edit_day(
        scope,
        month=month,
        user_id=user_id,
        day=day,
        cells=dict.fromkeys(CELLS),
        if_match=if_match,
        action="pay_register.cleared",
    )


def _check_day(scope: Scope, month: str, day: date) -> None:
    period = scope.tenant.period(month)
    if not period.start <= day <= period.end:
        raise invalid("/date", f"{day} is not in {month}, which runs from {period.start} to {period.end}")


def _values(scope: Scope, user_id: UUID, day: date, cells: Cells) -> dict[str, Any]:
    """Return the statement's parameters: which cells are named, and their values."""
    first, second = (_encode(scope, cells.get(half)) for half in ("first_half", "second_half"))
    return {
        "tenant_id": scope.tenant_id,
        "user_id": user_id,
        "day": day,
        "actor": scope.actor.name,
        "now": scope.now,
        "names_first": "first_half" in cells,
        "first_code": first[0],
        "first_leave_type_id": first[1],
        "names_second": "second_half" in cells,
        "second_code": second[0],
        "second_leave_type_id": second[1],
        **{f"names_{name}": name in cells for name in CELLS[2:]},
        **{name: cells.get(name) for name in CELLS[2:]},
    }


def _encode(scope: Scope, half: HalfIn | None) -> tuple[str | None, UUID | None]:
    """Return the code of a half as edited, and its leave type; leave without a stated nature has that of its type."""
    if half is None:
        return None, None
    nature = half.leave_nature
    if half.leave_type_id is not None:
        leave_type = get_leave_type(scope, half.leave_type_id)
        nature = nature or (Nature.PAID if leave_type.is_paid else Nature.LOP)
    return code_of(HalfStatus(half.status), nature), half.leave_type_id


def _find_record(employee: EmployeePeriod, day: date) -> DayRecord | None:
    return next((record for record in employee.daily_records if record["date"] == day.isoformat()), None)
