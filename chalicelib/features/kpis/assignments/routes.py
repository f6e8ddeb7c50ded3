"""HTTP endpoints of assignments and their scores."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.kpis.assignments import actions, queries, schemas
from chalicelib.features.kpis.scores import actions as score_actions
from chalicelib.features.kpis.scores import queries as score_queries
from chalicelib.features.kpis.scores.schemas import NewOverride, NewValue, Score
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/kpi-assignments", may="kpis.read", reply=Page[schemas.KpiAssignment])
def list_assignments(scope: Scope, query: schemas.KpiAssignmentQuery) -> RowPage[queries.AssignmentRow]:
    """List who is measured by what: everybody, your people, or yourself, as your role allows."""
    return queries.page_of_assignments(scope, query)


@endpoint(blueprint, "POST", "/kpi-assignments", may="kpis.assign", status=201)
def assign(scope: Scope, body: schemas.NewAssignment) -> schemas.NewAssignments:
    """Give a KPI to a person, or to many: who cannot have it is left out then, and told why."""
    return actions.assign(scope, new=body)


@endpoint(blueprint, "POST", "/kpi-assignments/{assignment_id}/value", may="kpis.score")
def enter_value(scope: Scope, assignment_id: UUID, body: NewValue) -> Score:
    """Enter the value of a KPI that is not calculated, or another one in its place."""
    return score_actions.enter_value(scope, assignment_id=assignment_id, new=body)


@endpoint(blueprint, "POST", "/kpi-assignments/{assignment_id}/override", may="kpis.score")
def override_value(scope: Scope, assignment_id: UUID, body: NewOverride) -> Score:
    """Make another value count, whatever is calculated later, or take that back."""
    return score_actions.override_value(scope, assignment_id=assignment_id, new=body)


@endpoint(blueprint, "DELETE", "/kpi-assignments/{assignment_id}", may="kpis.assign", status=204)
def take_back(scope: Scope, assignment_id: UUID) -> None:
    """Take a KPI back that somebody was given by mistake, and its score with it."""
    actions.take_back(scope, assignment_id=assignment_id)


@endpoint(blueprint, "GET", "/kpi-scores", may="kpis.read", reply=Page[Score])
def list_scores(scope: Scope, query: schemas.KpiAssignmentQuery) -> RowPage[Score]:
    """List what people reached, and how it was calculated."""
    return score_queries.page_of_scores(scope, query)
