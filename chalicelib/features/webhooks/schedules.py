"""Schedules of webhooks: deliveries whose next attempt is due, and events old enough to be deleted."""

from datetime import datetime

from chalice import Blueprint

from chalicelib.delivery import sweep
from chalicelib.entry.messages import scheduled
from chalicelib.features.webhooks import actions, rules
from chalicelib.features.webhooks.models import webhook_deliveries

blueprint = Blueprint(__name__)


@scheduled(blueprint, "rate(1 minute)", name="webhooks-to-look-at")
def send_due_webhooks(*, now: datetime) -> int:
    """Send a message for each delivery whose next attempt is due, and for each new one whose message was lost."""
    delivery = webhook_deliveries.c
    return sweep.send_due(
        webhook_deliveries,
        queue=actions.QUEUE,
        id_name="delivery_id",
        limit=500,
        conditions=[sweep.was_attempted_or_lost(delivery.tries, delivery.look_at, rules.RETRY)],
    )


@scheduled(blueprint, "rate(1 hour)", name="forget-webhooks")
def delete_old_webhooks(*, now: datetime) -> int:
    """Delete the events of more than 30 days ago, and the log of their deliveries."""
    return actions.delete_old_events(now=now)
