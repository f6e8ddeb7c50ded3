"""Schedules of the console: messages that were committed but not sent, and answers kept long enough."""

from datetime import datetime

from chalice import Blueprint

from chalicelib.backing import outbox
from chalicelib.entry import idempotency
from chalicelib.entry.messages import scheduled

blueprint = Blueprint(__name__)


@scheduled(blueprint, "rate(1 minute)", name="sweep-outbox")
def sweep_outbox(*, now: datetime) -> int:
    """Send what a crash or a throttled queue left unsent for a minute."""
    return outbox.sweep(now=now)


@scheduled(blueprint, "rate(1 hour)", name="forget-answers")
def forget_answers(*, now: datetime) -> int:
    """Forget the answers that were kept for repeated requests two days ago."""
    return idempotency.forget(now=now)
