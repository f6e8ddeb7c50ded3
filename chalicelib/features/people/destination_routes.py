"""HTTP doors of payout destinations."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.features.people import destination_actions as actions
from chalicelib.features.people import destination_queries as queries
from chalicelib.features.people import destination_schemas as schemas
from chalicelib.features.people import queries as people
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/users/{user_id}/payout-destination", may="destinations.read")
def get_payout_destination(scope: Scope, user_id: UUID) -> schemas.DestinationView:
    """This will tell where a person's payouts go; the number is masked."""
    people.get_user(scope, user_id, "destinations.read")
    return queries.get_current(scope, user_id)


@endpoint(blueprint, "PUT", "/users/{user_id}/payout-destination", may="destinations.write")
def set_payout_destination(scope: Scope, user_id: UUID, body: schemas.DestinationInput) -> schemas.DestinationView:
    """This will have a person's payouts go elsewhere from now on; the same details again change nothing."""
    return actions.set_destination(scope, user_id=user_id, said=body)
