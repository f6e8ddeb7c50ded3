"""Reads of assignments with their definitions and scores."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, select

from chalicelib.entry.paging import RowPage, decode_cursor, encode_cursor
from chalicelib.features.kpis.assignments.schemas import KpiAssignmentQuery
from chalicelib.features.kpis.definitions import queries as definitions
from chalicelib.features.kpis.definitions.queries import ScaleRow
from chalicelib.features.kpis.models import kpi_assignments, kpi_definitions, kpi_scores
from chalicelib.features.kpis.rules import Direction, MetricType, Source
from chalicelib.features.people.models import users
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_A, _D, _S = kpi_assignments.c, kpi_definitions.c, kpi_scores.c


@dataclass(frozen=True, slots=True)
class AssignedDefinition:
    """What an assignment measures."""

    id: UUID
    code: str
    name: str
    metric_type: MetricType
    unit: str | None
    scale_from: Decimal | None
    scale_to: Decimal | None
    source: Source
    metric: str | None
    formula: str | None
    direction: Direction

    @property
    def scale(self) -> ScaleRow | None:
        """Return the scale of a rating as callers see it."""
        return definitions.scale_of(self.scale_from, self.scale_to)


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The score of an assignment; all None where there is none yet."""

    assignment_id: UUID | None
    value: Decimal | None
    text_value: str | None
    target: Decimal | None
    weight: Decimal | None
    direction: Direction | None
    explanation: dict[str, Any] | None
    as_of: date | None
    calculated_at: datetime | None
    entered_by: str | None
    entered_at: datetime | None
    note: str | None
    submission_id: UUID | None
    override_value: Decimal | None
    override_reason: str | None
    overridden_by: str | None
    overridden_at: datetime | None
    achievement: Decimal | None
    weighted: Decimal | None


@dataclass(frozen=True, slots=True)
class AssignedUser:
    """Who is measured."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """An assignment with its definition and score; target, weight and due_on fall back to the definition and cycle."""

    id: UUID
    definition_id: UUID
    user_id: UUID
    cycle_start: date
    cycle_end: date
    target: Decimal | None
    weight: Decimal | None
    due_on: date
    notes: str | None
    assigned_by: str
    assigned_at: datetime
    user: AssignedUser
    definition: AssignedDefinition
    score: ScoreRow


_DEFINITION_FIELDS = tuple(field.name for field in fields(AssignedDefinition))
_SCORE_FIELDS = tuple(field.name for field in fields(ScoreRow))


def get_assignment(scope: Scope, assignment_id: UUID, permission: str) -> AssignmentRow:
    """Return one assignment of an employee whom the permission reaches, or raise NotFound."""
    row = scope.session.execute(_select_assignments(scope, permission).where(_A.id == assignment_id)).first()
    if row is None:
        raise NotFound("There is no such KPI assignment.")
    return _parse_row(row)


def find_assignment_on(scope: Scope, *, user_id: UUID, definition_id: UUID, day: date) -> UUID | None:
    """Return the assignment of an employee and KPI whose cycle contains a day, or None; there is at most one."""
    assignment_id: UUID | None = scope.session.execute(
        select(_A.id).where(
            _A.tenant_id == scope.tenant_id,
            _A.user_id == user_id,
            _A.definition_id == definition_id,
            _A.cycle_start_on <= day,
            _A.cycle_end_on >= day,
        )
    ).scalar()
    return assignment_id


def page_of_assignments(scope: Scope, query: KpiAssignmentQuery) -> RowPage[AssignmentRow]:
    """Return one page of assignments of all employees within reach, oldest first."""
    assignments = _select_assignments(scope, "kpis.read").order_by(_A.id).limit(query.limit + 1)
    if query.user_id:
        people.get_user(scope, query.user_id, "kpis.read")
        assignments = assignments.where(_A.user_id == query.user_id)
    if query.definition_id:
        definitions.get_definition(scope, query.definition_id)
        assignments = assignments.where(_A.definition_id == query.definition_id)
    if query.cycle_start:
        assignments = assignments.where(_A.cycle_start_on == query.cycle_start)
    if query.on:
        assignments = assignments.where(_A.cycle_start_on <= query.on, _A.cycle_end_on >= query.on)
    if query.cursor:
        assignments = assignments.where(_A.id > decode_cursor(query.cursor, UUID))
    with_next = scope.session.execute(assignments).all()
    items = [_parse_row(row) for row in with_next[: query.limit]]
    return RowPage(items, encode_cursor(items[-1].id) if len(with_next) > query.limit else None)


def _select_assignments(scope: Scope, permission: str) -> Select[Any]:
    """Select assignments with definition, user and score, for `_parse_row`."""
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
            *(_D[name].label(f"of_definition_{name}") for name in _DEFINITION_FIELDS),
            *(_S[name].label(f"of_score_{name}") for name in _SCORE_FIELDS),
        )
        .select_from(
            kpi_assignments.join(kpi_definitions, and_(_D.tenant_id == scope.tenant_id, _D.id == _A.definition_id))
            .join(users, and_(users.c.tenant_id == scope.tenant_id, users.c.id == _A.user_id))
            .outerjoin(kpi_scores, and_(_S.tenant_id == scope.tenant_id, _S.assignment_id == _A.id))
        )
        .where(_A.tenant_id == scope.tenant_id, scope.within(permission, _A.user_id))
    )


def _parse_row(row: Row[Any]) -> AssignmentRow:
    """Nest the definition, user and score of a row of `_select_assignments`."""
    columns = row._mapping
    return AssignmentRow(
        id=row.id,
        definition_id=row.definition_id,
        user_id=row.user_id,
        cycle_start=row.cycle_start_on,
        cycle_end=row.cycle_end_on,
        target=row.target,
        weight=row.weight,
        due_on=row.due_on,
        notes=row.notes,
        assigned_by=row.assigned_by,
        assigned_at=row.assigned_at,
        user=AssignedUser(row.user_id, row.user_name),
        definition=AssignedDefinition(*(columns[f"of_definition_{name}"] for name in _DEFINITION_FIELDS)),
        score=ScoreRow(*(columns[f"of_score_{name}"] for name in _SCORE_FIELDS)),
    )
