"""Writes of scores: values by hand, and overrides. Nobody enters or overrides their own (four eyes)."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.assignments import queries as assignments
from chalicelib.features.kpis.assignments.queries import AssignmentRow
from chalicelib.features.kpis.rules import MetricType, Source
from chalicelib.features.kpis.scores import queries
from chalicelib.features.kpis.scores.schemas import NewOverride, NewValue, Score
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid

SCORE = "kpis.score"
# A value and an override are parts of one row, and each leaves the other alone. `old` is what stood there before.
_ENTER_VALUE = text("""
    insert into kpi_scores as s (tenant_id, assignment_id, value, text_value, target, weight, direction, note,
        submission_id, calculated_at, entered_at, entered_by)
    values (:tenant_id, :id, :value, :text_value, :target, :weight, :direction, :note, :submission_id, :now, :now, :by)
    on conflict (tenant_id, assignment_id) do update
    set (value, text_value, target, weight, direction, note, submission_id, calculated_at, entered_at, entered_by) =
        (excluded.value, excluded.text_value, excluded.target, excluded.weight, excluded.direction, excluded.note,
         excluded.submission_id, excluded.calculated_at, excluded.entered_at, excluded.entered_by)
    returning old.value, old.text_value, old.note""")
_OVERRIDE = text("""
    insert into kpi_scores as s (tenant_id, assignment_id, target, weight, direction, override_value, override_reason,
        overridden_by, overridden_at)
    values (:tenant_id, :id, :target, :weight, :direction, :value, :reason, :by, :now)
    on conflict (tenant_id, assignment_id) do update
    set (override_value, override_reason, overridden_by, overridden_at) =
        (excluded.override_value, excluded.override_reason, excluded.overridden_by, excluded.overridden_at)
    returning old.override_value as value, old.override_reason as reason""")
_CLEAR = text("""
    update kpi_scores set override_value = null, override_reason = null, overridden_by = null, overridden_at = null
    where tenant_id = :tenant_id and assignment_id = :id and override_value is not null
    returning old.override_value as value, old.override_reason as reason""")


def enter_value(scope: Scope, *, assignment_id: UUID, new: NewValue) -> Score:
    """Enter a value by hand, or replace the one before."""
    assignment = _get_assignment_of_another(scope, assignment_id)
    definition = assignment.definition
    if definition.source != Source.MANUAL:
        raise Conflict(f"{definition.name} is calculated; override its value, with a reason, if it must be another.")
    try:
        value = rules.parse_value(new.value, definition)
    except ValueError as error:
        raise invalid("/value", str(error)) from None
    write_value(scope, assignment=assignment, value=value, note=new.note)
    return queries.get_score(scope, assignment_id, SCORE)


def write_value(
    scope: Scope,
    *,
    assignment: AssignmentRow,
    value: Decimal | str,
    note: str | None,
    submission_id: UUID | None = None,
) -> None:
    """Write a value that fits its definition, scored against the present target and weight."""
    after = {"value": None, "text_value": value} if isinstance(value, str) else {"value": value, "text_value": None}
    before = scope.session.execute(
        _ENTER_VALUE, {**_values(scope, assignment), **after, "note": note, "submission_id": submission_id}
    ).one()
    audit.record(
        scope,
        action="kpi_score.entered",
        entity_type="kpi_assignment",
        entity_id=assignment.id,
        before=_without_nulls(before._asdict()),
        after=_without_nulls({**after, "note": note, "submission_id": submission_id}),
    )


def override_value(scope: Scope, *, assignment_id: UUID, new: NewOverride) -> Score:
    """Override the value, whatever is calculated, or clear the override."""
    assignment = _get_assignment_of_another(scope, assignment_id)
    definition = assignment.definition
    if definition.metric_type == MetricType.TEXT:
        raise Conflict(f"{definition.name} is in words, and counts nothing; enter other words instead.")
    if new.value is None:
        cleared = scope.session.execute(_CLEAR, _values(scope, assignment)).first()
        if cleared is not None:
            audit.record(
                scope,
                action="kpi_score.override_cleared",
                entity_type="kpi_assignment",
                entity_id=assignment_id,
                before=cleared._asdict(),
                after={"value": None, "reason": new.reason},
            )
        return queries.get_score(scope, assignment_id, SCORE)
    try:
        value = rules.parse_value(new.value, definition)
    except ValueError as error:
        raise invalid("/value", str(error)) from None
    before = scope.session.execute(
        _OVERRIDE, {**_values(scope, assignment), "value": value, "reason": new.reason}
    ).one()
    audit.record(
        scope,
        action="kpi_score.overridden",
        entity_type="kpi_assignment",
        entity_id=assignment_id,
        before=_without_nulls(before._asdict()),
        after={"value": value, "reason": new.reason},
    )
    return queries.get_score(scope, assignment_id, SCORE)


def _get_assignment_of_another(scope: Scope, assignment_id: UUID) -> AssignmentRow:
    assignment = assignments.get_assignment(scope, assignment_id, SCORE)
    four_eyes.check_not_own(scope, four_eyes.Subject.KPI, assignment.user_id)
    return assignment


def _values(scope: Scope, assignment: AssignmentRow) -> dict[str, Any]:
    return {
        "tenant_id": scope.tenant_id,
        "id": assignment.id,
        "target": assignment.target,
        "weight": assignment.weight,
        "direction": assignment.definition.direction,
        "by": scope.actor.name,
        "now": scope.now,
    }


def _without_nulls(values: dict[str, Any]) -> dict[str, Any] | None:
    return {name: value for name, value in values.items() if value is not None} or None
