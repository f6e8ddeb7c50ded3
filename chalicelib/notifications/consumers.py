"""Queue consumers of notifications: what is to be sent, and what came back."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import SideEffect, consumes
from chalicelib.identity.scope import Scope
from chalicelib.notifications import actions, bounces, delivery

blueprint = Blueprint(__name__)


# two to a batch: each may take its whole time-out, and Lambda ends after 29 seconds
@consumes(blueprint, actions.QUEUE, batch_size=2, at_once=10, uses=("mail", "push", "vault"))
def send_notification(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Attempt one notification, if it is due."""
    return delivery.attempt(scope, UUID(message["log_id"]))


@consumes(blueprint, bounces.QUEUE, messages_in=bounces.messages_in, uses=("mail", "push", "vault"))
def note_mail_event(scope: Scope, *, message: dict[str, Any]) -> None:
    """Note a mail that bounced or was complained about."""
    bounces.note(scope, message)
