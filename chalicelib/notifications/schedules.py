"""Schedules of notifications: what is to be tried again."""

from datetime import datetime

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.entry.messages import scheduled
from chalicelib.notifications import actions, rules

blueprint = Blueprint(__name__)

# A new one has a message of its own on the way. Each tenant gets its share, so that a thousand of one that wait do not
# keep another's waiting.
_TO_LOOK_AT = text("""
    select tenant_id, id from (
        select tenant_id, id, look_at, row_number() over (partition by tenant_id order by look_at) as turn
        from notification_logs l
        where exists (select from tenants t where t.id = l.tenant_id and t.status = 'active')
            and collapsed_into is null
            and look_at <= clock_timestamp() and (attempts > 0 or look_at <= clock_timestamp() - :nudge)
    ) due
    order by turn, look_at limit :limit""")


@scheduled(blueprint, "rate(1 minute)", name="notifications-to-look-at")
def send_notifications_to_look_at(*, now: datetime) -> int:
    """Send a message for each notification whose next attempt is due, and for each that nobody took."""
    with transaction(role="wagebook_sweeper") as session:
        due = session.execute(_TO_LOOK_AT, {"limit": 1000, "nudge": rules.NUDGE}).all()
    queues.send_many(actions.QUEUE, [{"tenant_id": str(row.tenant_id), "log_id": str(row.id)} for row in due])
    return len(due)
