"""Queue consumers of notifications: one attempt at sending, and the mail events of SES."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import SideEffect, consumes
from chalicelib.identity.scope import Scope
from chalicelib.notifications import actions, bounces
from chalicelib.notifications.bounces import MailEvent
from chalicelib.notifications.delivery import NOTIFICATIONS

blueprint = Blueprint(__name__)


# two to a batch: each may take its whole time-out, and Lambda ends after 29 seconds
@consumes(blueprint, actions.QUEUE, batch_size=2, at_once=10, uses=("mail", "push", "vault"))
def send_notification(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Attempt one notification, if it is due."""
    return NOTIFICATIONS.attempt(scope, UUID(message["log_id"]))


@consumes(blueprint, bounces.QUEUE, messages_in=bounces.read_messages, uses=("mail", "push", "vault"))
def note_mail_event(scope: Scope, *, message: dict[str, Any]) -> None:
    """Note a mail that bounced or was complained about."""
    bounces.note(scope, MailEvent.model_validate(message))
