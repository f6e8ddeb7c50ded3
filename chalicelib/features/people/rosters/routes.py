"""HTTP endpoints of rosters."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page
from chalicelib.features.people.rosters import actions, queries, schemas
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/users/{user_id}/roster", may="people.read")
def list_roster(scope: Scope, user_id: UUID, query: schemas.RosterQuery) -> Page[schemas.RosterDay]:
    """List the planned days of a person, in order; days without a plan follow the ordinary calendar."""
    people.get_user(scope, user_id)
    return queries.find_roster(scope, user_id=user_id, query=query)


@endpoint(blueprint, "PUT", "/users/{user_id}/roster", may="roster.write")
def plan_roster(scope: Scope, user_id: UUID, body: schemas.RosterInput) -> schemas.RosterChanged:
    """Plan days of a person and clear others; days that are not named stay as they are."""
    return actions.plan(scope, user_id=user_id, said=body)
