"""HTTP endpoints of rosters."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.people.rosters import actions, queries, schemas
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/users/{user_id}/roster", may="people.read", reply=Page[schemas.RosterDay])
def list_roster(scope: Scope, user_id: UUID, query: schemas.RosterQuery) -> RowPage[queries.RosterDayRow]:
    """List the planned days of a person, in order; days without a plan follow the ordinary calendar."""
    people.get_user(scope, user_id)
    return queries.page_of_roster(scope, user_id=user_id, query=query)


@endpoint(blueprint, "PUT", "/users/{user_id}/roster", may="roster.write", reply=schemas.RosterChanged)
def plan_roster(scope: Scope, user_id: UUID, body: schemas.RosterInput) -> actions.RosterChange:
    """Plan days of a person and clear others; days that are not named stay as they are."""
    return actions.change_roster(scope, user_id=user_id, requested=body)
