"""Schedules of webhooks: deliveries to try again, and events old enough to be forgotten."""

from datetime import datetime

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.entry.messages import scheduled
from chalicelib.features.webhooks import actions, rules

blueprint = Blueprint(__name__)

# A new one has a message of its own on the way. Each tenant gets its share, so that a thousand deliveries to a system
# of one that is down do not keep another's waiting.
_TO_LOOK_AT = text("""
    select tenant_id, id from (
        select tenant_id, id, look_at, row_number() over (partition by tenant_id order by look_at) as turn
        from webhook_deliveries d
        where exists (select from tenants t where t.id = d.tenant_id and t.status = 'active')
            and look_at <= clock_timestamp() and (tries > 0 or look_at <= clock_timestamp() - :nudge)
    ) due
    order by turn, look_at limit :limit""")


@scheduled(blueprint, "rate(1 minute)", name="webhooks-to-look-at")
def send_webhooks_to_look_at(*, now: datetime) -> int:
    """Send a message for each delivery whose next attempt is due, and for each that nobody took."""
    with transaction(role="wagebook_sweeper") as session:
        due = session.execute(_TO_LOOK_AT, {"limit": 500, "nudge": rules.NUDGE}).all()
    queues.send_many(actions.QUEUE, [{"tenant_id": str(row.tenant_id), "delivery_id": str(row.id)} for row in due])
    return len(due)


@scheduled(blueprint, "rate(1 hour)", name="forget-webhooks")
def forget_webhooks(*, now: datetime) -> int:
    """Forget the events of more than 30 days ago, and the log of their deliveries."""
    return actions.forget(now=now)
