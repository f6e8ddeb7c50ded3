"""Schedules of notifications: those whose next attempt is due."""

from datetime import datetime

from chalice import Blueprint

from chalicelib.delivery import sweep
from chalicelib.entry.messages import scheduled
from chalicelib.notifications import actions, rules
from chalicelib.notifications.models import notification_logs

blueprint = Blueprint(__name__)


@scheduled(blueprint, "rate(1 minute)", name="notifications-to-look-at")
def send_due_notifications(*, now: datetime) -> int:
    """Send a message for each notification whose next attempt is due, and for each new one whose message was lost."""
    log = notification_logs.c
    return sweep.send_due(
        notification_logs,
        queue=actions.QUEUE,
        id_name="log_id",
        limit=1000,
        conditions=[
            # it shares the attempts of the row that it was collapsed into
            log.collapsed_into.is_(None),
            sweep.was_attempted_or_lost(log.attempts, log.look_at, rules.RETRY),
        ],
    )
