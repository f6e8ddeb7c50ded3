"""Queue consumer of webhooks: one attempt at a delivery."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import SideEffect, consumes
from chalicelib.features.webhooks import actions
from chalicelib.features.webhooks.delivery_actions import WEBHOOKS
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


# two to a batch: each may take its whole time-out, and Lambda ends after 29 seconds
@consumes(blueprint, actions.QUEUE, batch_size=2, at_once=20, uses=("vault",))
def deliver_webhook(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Attempt one delivery, if it is due."""
    return WEBHOOKS.attempt(scope, UUID(message["delivery_id"]))
