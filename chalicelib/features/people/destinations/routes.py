"""HTTP endpoints of payout destinations."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.people.destinations import actions, queries, schemas
from chalicelib.features.people.destinations.queries import DestinationRow
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(
    blueprint, "GET", "/users/{user_id}/payout-destination", may="destinations.read", reply=schemas.DestinationView
)
def get_payout_destination(scope: Scope, user_id: UUID) -> DestinationRow:
    """Tell where a person's payouts go; the number is masked."""
    people.get_user(scope, user_id, "destinations.read")
    return queries.get_current(scope, user_id)


@endpoint(
    blueprint, "PUT", "/users/{user_id}/payout-destination", may="destinations.write", reply=schemas.DestinationView
)
def set_payout_destination(scope: Scope, user_id: UUID, body: schemas.DestinationInput) -> DestinationRow:
    """Have a person's payouts go elsewhere from now on; the same details again change nothing.

    The person is notified at their address and the one before. Details that replace others hold payouts for
    `policy.destination_hold_hours`, or until somebody else confirms them. Your own are a request
    (POST /me/payout-destination).
    """
    return actions.set_destination(scope, user_id=user_id, requested=body)


@endpoint(
    blueprint,
    "POST",
    "/users/{user_id}/payout-destination/confirm",
    may="destinations.write",
    reply=schemas.DestinationView,
)
def confirm_payout_destination(scope: Scope, user_id: UUID, body: schemas.DestinationConfirmation) -> DestinationRow:
    """Confirm what a person requested, or what somebody else changed: payouts go there from now on.

    Whoever set or requested these bank details may not, nor may their person.
    """
    return actions.confirm(scope, user_id=user_id, destination_id=body.id)


@endpoint(
    blueprint, "POST", "/me/payout-destination", may="destinations.request", status=201, reply=schemas.DestinationView
)
def request_payout_destination(scope: Scope, body: schemas.DestinationInput) -> DestinationRow:
    """Ask for your own payouts to go elsewhere. It takes effect when HR confirms it; a second request replaces it."""
    return actions.request_own(scope, requested=body)


@endpoint(
    blueprint, "GET", "/payout-destination-requests", may="destinations.read", reply=Page[schemas.DestinationRequest]
)
def list_payout_destination_requests(scope: Scope, query: PageQuery) -> RowPage[DestinationRow]:
    """List bank details that people asked for and nobody confirmed yet, oldest first."""
    return queries.page_of_requests(scope, query)
