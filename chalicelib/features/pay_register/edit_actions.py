"""Edits by hand, cell by cell: what a person says of a half, hours, extra days or remarks wins over the facts."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record, statement
from chalicelib.entry.versions import expect
from chalicelib.features.leave.types.queries import get_leave_type
from chalicelib.features.pay_register import queries
from chalicelib.features.pay_register.schemas import HalfIn
from chalicelib.features.periods import facts
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.halves import HalfStatus, Nature, code_of

CELLS = ("first_half", "second_half", "ot_hours", "extra_days", "remarks")
_EDIT = text(statement(__file__, "edit_days"))

Cells = Mapping[str, Any]  # a value by name, of those of CELLS that are named; None: back to the facts


def edit_day(
    scope: Scope,
    *,
    month: str,
    user_id: UUID,
    day: date,
    cells: Cells,
    if_match: int | None,
    action: str = "pay_register.edited",
) -> Record:
    """Put the named cells of a day in the place of what the facts say, and compute the employee again.

    `if_match` is the day's version that the caller saw. In a locked period the edit is kept as a fact and noted as a
    late correction; the register stays as paid. An edit that says what is said already changes nothing.
    """
    four_eyes.check_not_own(scope, four_eyes.Subject.REGISTER, user_id)
    _check_day(scope, month, day)
    with facts.changing(scope, changes=[(user_id, day)], what="edit", even_ahead=True) as change:
        before = queries.get_row(scope, month=month, user_id=user_id)
        stood = scope.session.execute(_EDIT, _values(scope, user_id, day, cells)).one()
        expect({"version": stood.version}, if_match)
        change.is_void = not stood.is_changed
    if change.is_void:
        return before
    after = queries.get_row(scope, month=month, user_id=user_id)
    audit.record(
        scope,
        action=action,
        entity_type="pay_register",
        entity_id=f"{month}/{user_id}/{day}",
        before=_record_of(before, day),
        after=_record_of(after, day),
    )
    return {**after, "late_correction": month in change.late}


def clear_day(scope: Scope, *, month: str, user_id: UUID, day: date, if_match: int | None) -> Record:
    """Give every cell of a day back to the facts; clearing a day that nobody edited changes nothing."""
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
    first, second = (_coded(scope, cells.get(half)) for half in ("first_half", "second_half"))
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


def _coded(scope: Scope, half: HalfIn | None) -> tuple[str | None, UUID | None]:
    """Return the code of a half as edited, and its leave type; leave without a stated nature has that of its type."""
    if half is None:
        return None, None
    nature = half.leave_nature
    if half.leave_type_id is not None:
        of_type = get_leave_type(scope, half.leave_type_id)
        nature = nature or (Nature.PAID if of_type["is_paid"] else Nature.LOP)
    return code_of(HalfStatus(half.status), nature), half.leave_type_id


def _record_of(row: Record, day: date) -> dict[str, Any] | None:
    return next((record for record in row["daily_records"] if record["date"] == day.isoformat()), None)
