"""Reads of assignments and of the scores that they have."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select

from chalicelib.backing.database import Record
from chalicelib.entry.paging import page_of
from chalicelib.features.kpis.assignments.schemas import KpiAssignmentQuery
from chalicelib.features.kpis.definitions import queries as definitions
from chalicelib.features.kpis.models import kpi_assignments, kpi_definitions, kpi_scores
from chalicelib.features.people.models import users
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_A, _D, _S = kpi_assignments.c, kpi_definitions.c, kpi_scores.c
_OF_DEFINITION = (
    "code",
    "name",
    "metric_type",
    "unit",
    "scale_from",
    "scale_to",
    "source",
    "metric",
    "formula",
    "direction",
)
_OF_SCORE = (
    "assignment_id", "value", "text_value", "target", "weight", "direction", "explanation", "as_of", "calculated_at",
    "entered_by", "entered_at", "note", "submission_id", "override_value", "override_reason", "overridden_by",
    "overridden_at", "achievement", "weighted",
)  # fmt: skip


def get_assignment(scope: Scope, assignment_id: UUID, permission: str) -> Record:
    """Read one assignment, with its definition and score, of somebody whom the permission reaches."""
    found = scope.session.execute(_whole(scope, permission).where(_A.id == assignment_id)).mappings()
    if (row := found.first()) is None:
        raise NotFound("There is no such KPI assignment.")
    return _nested(dict(row))


def find_on(scope: Scope, *, user_id: UUID, definition_id: UUID, day: Any) -> UUID | None:
    """Find the assignment of a person and KPI whose cycle holds a day; there is one at most."""
    return scope.session.execute(
        select(_A.id).where(
            _A.tenant_id == scope.tenant_id,
            _A.user_id == user_id,
            _A.definition_id == definition_id,
            _A.cycle_start_on <= day,
            _A.cycle_end_on >= day,
        )
    ).scalar()


def page_of_assignments(scope: Scope, query: KpiAssignmentQuery) -> Record:
    """Read one page of assignments, with their scores, of everybody within reach, oldest first."""
    rows = _whole(scope, "kpis.read")
    if query.user_id:
        people.get_user(scope, query.user_id, "kpis.read")
        rows = rows.where(_A.user_id == query.user_id)
    if query.definition_id:
        definitions.get_definition(scope, query.definition_id)
        rows = rows.where(_A.definition_id == query.definition_id)
    if query.cycle_start:
        rows = rows.where(_A.cycle_start_on == query.cycle_start)
    if query.on:
        rows = rows.where(_A.cycle_start_on <= query.on, _A.cycle_end_on >= query.on)
    page = page_of(scope, rows, key=_A.id, query=query)
    return {**page, "items": [_nested(row) for row in page["items"]]}


def _whole(scope: Scope, permission: str) -> Select[Any]:
    in_force: list[ColumnElement[Any]] = [
        func.coalesce(_A.target, _D.target).label("target"),
        func.coalesce(_A.weight, _D.weight).label("weight"),
        func.coalesce(_A.due_on, _A.cycle_end_on).label("due_on"),
    ]
    own = ("id", "definition_id", "user_id", "cycle_start_on", "cycle_end_on", "notes", "assigned_by", "assigned_at")
    return (
        select(
            *(_A[name] for name in own),
            *in_force,
            users.c.name.label("user_name"),
            *(_D[name].label(f"of_definition_{name}") for name in _OF_DEFINITION),
            *(_S[name].label(f"of_score_{name}") for name in _OF_SCORE),
        )
        .select_from(
            kpi_assignments.join(kpi_definitions, and_(_D.tenant_id == scope.tenant_id, _D.id == _A.definition_id))
            .join(users, and_(users.c.tenant_id == scope.tenant_id, users.c.id == _A.user_id))
            .outerjoin(kpi_scores, and_(_S.tenant_id == scope.tenant_id, _S.assignment_id == _A.id))
        )
        .where(_A.tenant_id == scope.tenant_id, scope.within(permission, _A.user_id))
    )


def _nested(row: Record) -> Record:
    definition = {name: row.pop(f"of_definition_{name}") for name in _OF_DEFINITION}
    score = {name: row.pop(f"of_score_{name}") for name in _OF_SCORE}
    return {
        **row,
        "cycle_start": row["cycle_start_on"],
        "cycle_end": row["cycle_end_on"],
        "user": {"id": row["user_id"], "name": row.pop("user_name")},
        "definition": definitions.shown({"id": row["definition_id"], **definition}),
        "score": score,
    }
