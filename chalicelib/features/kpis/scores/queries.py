"""Reads of scores: one per assignment, whether it has a value yet or not."""

from uuid import UUID

from chalicelib.backing.database import Record
from chalicelib.features.kpis.assignments import queries as assignments
from chalicelib.features.kpis.assignments.schemas import KpiAssignmentQuery
from chalicelib.identity.scope import Scope


def get_score(scope: Scope, assignment_id: UUID, permission: str) -> Record:
    """Read the score of one assignment."""
    return shown(assignments.get_assignment(scope, assignment_id, permission))


def page_of_scores(scope: Scope, query: KpiAssignmentQuery) -> Record:
    """Read one page of scores of everybody within reach, in the order of their assignments."""
    page = assignments.page_of_assignments(scope, query)
    return {**page, "items": [shown(row) for row in page["items"]]}


def shown(row: Record) -> Record:
    """Return an assignment's score under the names that go out."""
    score, said = row["score"], row["score"]["explanation"] or {}
    is_there = score["assignment_id"] is not None
    override = entered = None
    if score["override_value"] is not None:
        override = {
            "value": score["override_value"],
            "reason": score["override_reason"],
            "by": score["overridden_by"],
            "at": score["overridden_at"],
        }
    if score["entered_at"] is not None:
        entered = {
            "by": score["entered_by"],
            "at": score["entered_at"],
            "note": score["note"],
            "submission_id": score["submission_id"],
        }
    return {
        **row,
        **{name: score[name] for name in ("value", "achievement", "weighted", "as_of", "calculated_at")},
        # what it was scored against; until there is a score, what it will be
        **{name: score[name] if is_there else row[name] for name in ("target", "weight")},
        "direction": score["direction"] if is_there else row["definition"]["direction"],
        "assignment_id": row["id"],
        "text": score["text_value"],
        "override": override,
        "entered": entered,
        "inputs": said.get("inputs", {}),
        "formula": said.get("formula"),
        "warnings": said.get("warnings", []),
        "notes": said.get("notes", []),
    }
