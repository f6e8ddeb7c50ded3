"""HTTP endpoints of webhooks."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.webhooks import actions, endpoint_actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/webhook-endpoints", may="webhooks.read", reply=Page[schemas.Endpoint])
def list_endpoints(scope: Scope, query: PageQuery) -> RowPage[schemas.Endpoint]:
    """List the systems of yours that hear what happens, oldest first; without their secrets."""
    return queries.page_of_endpoints(scope, query)


@endpoint(blueprint, "POST", "/webhook-endpoints", may="webhooks.write", status=201, shown_once=("secret",))
def add_endpoint(scope: Scope, body: schemas.NewEndpoint) -> schemas.EndpointWithSecret:
    """Let a system of yours hear what happens, and show the secret of its signatures this once.

    Deliveries follow Standard Webhooks: verify `webhook-signature` with one of its libraries, take the same
    `webhook-id` once, and expect no order.
    """
    return endpoint_actions.add_endpoint(scope, new=body)


@endpoint(blueprint, "GET", "/webhook-endpoints/{endpoint_id}", may="webhooks.read")
def get_endpoint(scope: Scope, endpoint_id: UUID) -> schemas.Endpoint:
    """Show one endpoint, without its secret."""
    return queries.to_reply(scope, queries.get_endpoint(scope, endpoint_id))


@endpoint(blueprint, "PATCH", "/webhook-endpoints/{endpoint_id}", may="webhooks.write")
def change_endpoint(
    scope: Scope, endpoint_id: UUID, body: schemas.EndpointPatch, if_match: int | None
) -> schemas.Endpoint:
    """Change an endpoint, or switch it on or off; what happens while it is off is not published to it."""
    return endpoint_actions.change_endpoint(scope, endpoint_id=endpoint_id, patch=body.sent_fields(), if_match=if_match)


@endpoint(
    blueprint, "POST", "/webhook-endpoints/{endpoint_id}/rotate-secret", may="webhooks.write", shown_once=("secret",)
)
def rotate_secret(scope: Scope, endpoint_id: UUID) -> schemas.EndpointWithSecret:
    """Give an endpoint a new secret and show it this once; the old one signs too for 24 hours."""
    return endpoint_actions.rotate_secret(scope, endpoint_id=endpoint_id)


@endpoint(blueprint, "POST", "/webhook-endpoints/{endpoint_id}/test", may="webhooks.write", status=202)
def test_endpoint(scope: Scope, endpoint_id: UUID) -> schemas.WholeDelivery:
    """Send an endpoint a `ping`, and answer with the delivery to follow."""
    return actions.ping(scope, endpoint_id)


@endpoint(blueprint, "GET", "/webhook-deliveries", may="webhooks.read", reply=Page[schemas.Delivery])
def list_deliveries(scope: Scope, query: schemas.DeliveryQuery) -> RowPage[queries.DeliveryRow]:
    """List the log of the last 30 days, newest first."""
    return queries.page_of_deliveries(scope, query)


@endpoint(blueprint, "GET", "/webhook-deliveries/{delivery_id}", may="webhooks.read")
def get_delivery(scope: Scope, delivery_id: UUID) -> schemas.WholeDelivery:
    """Show a delivery: what it says, and how each attempt went."""
    return queries.get_delivery(scope, delivery_id)


@endpoint(blueprint, "POST", "/webhook-deliveries/{delivery_id}/replay", may="webhooks.write", status=202)
def replay(scope: Scope, delivery_id: UUID) -> schemas.WholeDelivery:
    """Send a delivery again, now, under the same webhook-id."""
    return actions.replay(scope, delivery_id)


@endpoint(blueprint, "DELETE", "/webhook-endpoints/{endpoint_id}", may="webhooks.write", status=204)
def delete_endpoint(scope: Scope, endpoint_id: UUID) -> None:
    """End an endpoint and its log."""
    endpoint_actions.delete_endpoint(scope, endpoint_id=endpoint_id)
