"""Writes of assignments: to one employee or to many at once."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import delete, select, text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import statement
from chalicelib.features.kpis.assignments import queries
from chalicelib.features.kpis.assignments.schemas import (
    Assigned,
    KpiAssignment,
    NewAssignment,
    NewAssignments,
    SkippedEmployees,
)
from chalicelib.features.kpis.definitions import queries as definition_queries
from chalicelib.features.kpis.definitions.actions import check_cycle, check_target
from chalicelib.features.kpis.definitions.queries import DefinitionRow
from chalicelib.features.kpis.models import kpi_assignments, kpi_scores
from chalicelib.features.kpis.rules import Source
from chalicelib.features.people.models import departments, users
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Fault, Forbidden, NotFound, Place, invalid

ASSIGN = "kpis.assign"
_ASSIGN = text(statement(__file__, "assign"))
_DETAILS = {
    "has_it": "they have this KPI for a part of the cycle already",
    "left_before": "they left before the cycle begins",
    "joins_after": "they join after the cycle ends",
    "is_you": "nobody gives KPIs to themselves; somebody else has to",
}


def assign(scope: Scope, *, new: NewAssignment) -> NewAssignments:
    """Assign a KPI to one employee, or to many in one statement, with the reasons for those who cannot have it.

    Cycles of one KPI and employee never overlap, or a day would be scored twice; so a repeated call assigns nothing.
    """
    definition = definition_queries.get_active(scope, new.definition_id)
    check_cycle(new.cycle_start, new.cycle_end)
    check_target(definition, new.target)
    if new.due_on is not None and new.due_on < new.cycle_start:
        raise invalid("/due_on", "is before cycle_start")
    if new.due_on is not None and definition.source != Source.MANUAL:
        raise invalid("/due_on", f"{definition.name} is calculated; only a value entered by hand is due on a day")
    named = [new.user_id] if new.user_id else new.user_ids
    if new.user_id:
        people.get_user(scope, new.user_id, ASSIGN)
    if new.user_ids is not None:
        _check_users_exist(scope, new.user_ids)
    if new.department_id is not None:
        organisation.get_unit(scope, departments, new.department_id)
    scope.advisory_lock("kpi_assignments")  # so that of two that assign the same at once, the second sees the first
    reach = scope.grants.get(ASSIGN)
    rows = scope.session.execute(
        _ASSIGN,
        {
            **new.model_dump(exclude={"user_id", "all"}),
            "user_ids": named,
            "tenant_id": scope.tenant_id,
            "reach": reach.value if reach else None,
            "actor_user_id": scope.actor.user_id,
            "today": scope.today(),
            "own_ids": four_eyes.own_ids(scope),
            "assigned_by": scope.actor.name,
            "now": scope.now,
        },
    ).all()
    assigned = next((row for row in rows if row.reason is None), None)
    if new.user_id:
        if assigned is None:
            raise _explain_refusal(rows[0].reason, definition)
        return _record_one(scope, new, assigned.assignment_id)
    skipped = [
        SkippedEmployees(reason=row.reason, detail=_DETAILS[row.reason], people=row.people, user_ids=row.user_ids)
        for row in rows
        if row.reason
    ]
    people_count = assigned.people if assigned else 0
    audit.record(
        scope,
        action="kpi_assignments.added",
        entity_type="kpi_definition",
        entity_id=new.definition_id,
        after={**new.model_dump(), "people": people_count},
    )
    return NewAssignments(
        Assigned(
            definition_id=new.definition_id,
            cycle_start=new.cycle_start,
            cycle_end=new.cycle_end,
            people=people_count,
            skipped=skipped,
        )
    )


def take_back(scope: Scope, *, assignment_id: UUID) -> None:
    """Delete an assignment that was made by mistake, and its score with it."""
    before = queries.get_assignment(scope, assignment_id, ASSIGN)
    four_eyes.check_not_own(scope, four_eyes.Subject.KPI, before.user_id)
    scope.session.execute(
        delete(kpi_scores).where(kpi_scores.c.tenant_id == scope.tenant_id, kpi_scores.c.assignment_id == assignment_id)
    )
    scope.session.execute(
        delete(kpi_assignments).where(
            kpi_assignments.c.tenant_id == scope.tenant_id, kpi_assignments.c.id == assignment_id
        )
    )
    score = {
        name: value for name, value in asdict(before.score).items() if value is not None and name != "assignment_id"
    }
    kept = ("definition_id", "user_id", "cycle_start", "cycle_end", "target", "weight")
    audit.record(
        scope,
        action="kpi_assignment.removed",
        entity_type="kpi_assignment",
        entity_id=assignment_id,
        before={**{name: getattr(before, name) for name in kept}, "score": score},
    )


def _record_one(scope: Scope, new: NewAssignment, assignment_id: UUID) -> NewAssignments:
    """Record the assignment of one employee in the audit log, and return it."""
    audit.record(
        scope,
        action="kpi_assignment.added",
        entity_type="kpi_assignment",
        entity_id=assignment_id,
        after=new.model_dump(exclude={"user_ids", "department_id", "all"}),
    )
    return NewAssignments(KpiAssignment.model_validate(queries.get_assignment(scope, assignment_id, ASSIGN)))


def _explain_refusal(reason: str, definition: DefinitionRow) -> Fault:
    """Return the fault for one employee who cannot be assigned a KPI."""
    if reason == "is_you":
        return Forbidden("Nobody gives KPIs to themselves; somebody else has to.")
    if reason == "has_it":
        return Conflict(
            f"This person has {definition.name} for a part of the cycle already; choose dates outside it.",
            [Place("/cycle_start", "overlaps with another cycle")],
        )
    return Conflict(
        f"This person cannot be given {definition.name}: {_DETAILS[reason]}.",
        [Place("/cycle_end" if reason == "joins_after" else "/cycle_start", _DETAILS[reason])],
    )


def _check_users_exist(scope: Scope, user_ids: list[UUID]) -> None:
    """Refuse users who do not exist or are out of the caller's reach. Raises NotFound."""
    known = scope.session.execute(
        select(users.c.id).where(
            users.c.tenant_id == scope.tenant_id, users.c.id.in_(user_ids), scope.within(ASSIGN, users.c.id)
        )
    ).scalars()
    if set(user_ids) - set(known):
        raise NotFound("There is no such person.")
