"""Giving people KPIs, one by one or all at once."""

from uuid import UUID

from sqlalchemy import delete, select, text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record, statement
from chalicelib.features.kpis.assignments import queries
from chalicelib.features.kpis.assignments.schemas import Assigned, KpiAssignment, NewAssignment, NewAssignments
from chalicelib.features.kpis.definitions import queries as definition_queries
from chalicelib.features.kpis.definitions.actions import check_cycle, check_target
from chalicelib.features.kpis.models import kpi_assignments, kpi_scores
from chalicelib.features.kpis.rules import Source
from chalicelib.features.people.models import departments, users
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Fault, Forbidden, NotFound, Place, invalid

ASSIGN = "kpis.assign"
_ASSIGN = statement(__file__, "assign")
_WHY = {
    "has_it": "they have this KPI for a part of the cycle already",
    "left_before": "they left before the cycle begins",
    "joins_after": "they join after the cycle ends",
    "is_you": "nobody gives KPIs to themselves; somebody else has to",
}


def assign(scope: Scope, *, new: NewAssignment) -> NewAssignments:
    """Return a KPI to one person, or to many in one statement, leaving out who cannot have it and saying why.

    Cycles of one KPI and person never overlap, or a day would be scored twice; so giving it again gives it to nobody.
    """
    definition = definition_queries.get_active(scope, new.definition_id)
    check_cycle(new.cycle_start, new.cycle_end)
    check_target(definition, new.target)
    if new.due_on is not None and new.due_on < new.cycle_start:
        raise invalid("/due_on", "is before cycle_start")
    if new.due_on is not None and definition["source"] != Source.MANUAL:
        raise invalid("/due_on", f"{definition['name']} is calculated; only a value entered by hand is due on a day")
    named = [new.user_id] if new.user_id else new.user_ids
    if new.user_id:
        people.get_user(scope, new.user_id, ASSIGN)
    if new.user_ids is not None:
        _all_there(scope, new.user_ids)
    if new.department_id is not None:
        organisation.get_unit(scope, departments, new.department_id)
    scope.advisory_lock("kpi_assignments")  # so that of two who give the same at once, the second sees the first
    reach, values = scope.reach(ASSIGN, "u.id")
    rows = scope.session.execute(
        text(_ASSIGN.replace("{reach}", reach)),
        {
            **values,
            **new.model_dump(exclude={"user_id", "all"}),
            "user_ids": named,
            "tenant_id": scope.tenant_id,
            "own_ids": four_eyes.own_ids(scope),
            "assigned_by": scope.actor.name,
            "now": scope.now,
        },
    ).all()
    given = next((row for row in rows if row.reason is None), None)
    if new.user_id:
        if given is None:
            raise _refusal(rows[0].reason, definition)
        return _made_one(scope, new, given.assignment_id)
    skipped = [
        {"reason": row.reason, "detail": _WHY[row.reason], "people": row.people, "user_ids": row.user_ids}
        for row in rows
        if row.reason
    ]
    done = {**new.model_dump(), "people": given.people if given else 0, "skipped": skipped}
    audit.record(
        scope,
        action="kpi_assignments.added",
        entity_type="kpi_definition",
        entity_id=new.definition_id,
        after={**new.model_dump(), "people": done["people"]},
    )
    return NewAssignments(Assigned.model_validate(done))


def take_back(scope: Scope, *, assignment_id: UUID) -> None:
    """Take a KPI back that somebody was given by mistake, and its score with it."""
    before = queries.get_assignment(scope, assignment_id, ASSIGN)
    four_eyes.check_not_own(scope, four_eyes.Subject.KPI, before["user_id"])
    scope.session.execute(
        delete(kpi_scores).where(kpi_scores.c.tenant_id == scope.tenant_id, kpi_scores.c.assignment_id == assignment_id)
    )
    scope.session.execute(
        delete(kpi_assignments).where(
            kpi_assignments.c.tenant_id == scope.tenant_id, kpi_assignments.c.id == assignment_id
        )
    )
    score = {name: value for name, value in before["score"].items() if value is not None and name != "assignment_id"}
    kept = ("definition_id", "user_id", "cycle_start", "cycle_end", "target", "weight")
    audit.record(
        scope,
        action="kpi_assignment.removed",
        entity_type="kpi_assignment",
        entity_id=assignment_id,
        before={**{name: before[name] for name in kept}, "score": score},
    )


def _made_one(scope: Scope, new: NewAssignment, assignment_id: UUID) -> NewAssignments:
    audit.record(
        scope,
        action="kpi_assignment.added",
        entity_type="kpi_assignment",
        entity_id=assignment_id,
        after=new.model_dump(exclude={"user_ids", "department_id", "all"}),
    )
    return NewAssignments(KpiAssignment.model_validate(queries.get_assignment(scope, assignment_id, ASSIGN)))


def _refusal(reason: str, definition: Record) -> Fault:
    if reason == "is_you":
        return Forbidden("Nobody gives KPIs to themselves; somebody else has to.")
    if reason == "has_it":
        return Conflict(
            f"This person has {definition['name']} for a part of the cycle already; choose dates outside it.",
            [Place("/cycle_start", "overlaps with another cycle")],
        )
    return Conflict(
        f"This person cannot be given {definition['name']}: {_WHY[reason]}.",
        [Place("/cycle_end" if reason == "joins_after" else "/cycle_start", _WHY[reason])],
    )


def _all_there(scope: Scope, user_ids: list[UUID]) -> None:
    known = scope.session.execute(
        select(users.c.id).where(
            users.c.tenant_id == scope.tenant_id, users.c.id.in_(user_ids), scope.within(ASSIGN, users.c.id)
        )
    ).scalars()
    if set(user_ids) - set(known):
        raise NotFound("There is no such person.")
