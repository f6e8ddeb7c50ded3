"""Reads of scores: one per assignment, whether it has a value yet or not."""

from uuid import UUID

from chalicelib.entry.paging import RowPage
from chalicelib.features.kpis.assignments import queries as assignments
from chalicelib.features.kpis.assignments.queries import AssignmentRow
from chalicelib.features.kpis.assignments.schemas import KpiAssignmentQuery, OfDefinition, OfPerson
from chalicelib.features.kpis.scores.schemas import Entered, Override, Score
from chalicelib.identity.scope import Scope


def get_score(scope: Scope, assignment_id: UUID, permission: str) -> Score:
    """Return the score of one assignment, or raise NotFound."""
    return to_reply(assignments.get_assignment(scope, assignment_id, permission))


def page_of_scores(scope: Scope, query: KpiAssignmentQuery) -> RowPage[Score]:
    """Return one page of scores of all employees within reach, in the order of their assignments."""
    return assignments.page_of_assignments(scope, query).map(to_reply)


def to_reply(row: AssignmentRow) -> Score:
    """Return an assignment's score as callers see it."""
    score, explanation = row.score, row.score.explanation or {}
    # what the value was scored against; until there is a score, what it will be
    scored = row if score.assignment_id is None else score
    direction = row.definition.direction if score.direction is None else score.direction
    return Score(
        assignment_id=row.id,
        definition=OfDefinition.model_validate(row.definition),
        user=OfPerson.model_validate(row.user),
        user_id=row.user_id,
        cycle_start=row.cycle_start,
        cycle_end=row.cycle_end,
        due_on=row.due_on,
        value=score.value,
        text=score.text_value,
        override=_override_of(row),
        target=scored.target,
        weight=scored.weight,
        direction=direction,
        achievement=score.achievement,
        weighted=score.weighted,
        inputs=explanation.get("inputs", {}),
        formula=explanation.get("formula"),
        warnings=explanation.get("warnings", []),
        notes=explanation.get("notes", []),
        as_of=score.as_of,
        calculated_at=score.calculated_at,
        entered=_entered_of(row),
    )


def _override_of(row: AssignmentRow) -> Override | None:
    """Return the value that counts instead, or None; its other columns are set with it."""
    score = row.score
    if score.override_value is None or score.overridden_at is None:
        return None
    return Override(
        value=score.override_value,
        reason=score.override_reason or "",
        by=score.overridden_by or "",
        at=score.overridden_at,
    )


def _entered_of(row: AssignmentRow) -> Entered | None:
    """Return who entered the value by hand, or None."""
    score = row.score
    if score.entered_at is None:
        return None
    return Entered(by=score.entered_by or "", at=score.entered_at, note=score.note, submission_id=score.submission_id)
