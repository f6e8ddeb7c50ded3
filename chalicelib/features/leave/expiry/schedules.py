"""Schedules of leave expiry: finds the tenants whose night has come, and sends."""

from datetime import datetime

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.entry.messages import scheduled
from chalicelib.features.leave.expiry.nightly_job import NIGHT, QUEUE

blueprint = Blueprint(__name__)

# A tenant stays due until its today is done, so a lost message or a missed night is found by the next round.
_DUE = text("""
    select t.id from tenants t
    left join nightly_runs n on n.tenant_id = t.id and n.kind = :kind
    where t.status = 'active' and (:now at time zone t.timezone)::time >= '02:00'
      and coalesce(n.done_on, '-infinity') < (:now at time zone t.timezone)::date
    order by t.id""")


@scheduled(blueprint, "rate(15 minutes)", name="leave-expiry")
def send_due_nights(*, now: datetime) -> int:
    """Send one message for each tenant whose day's expiry is not done yet."""
    with transaction(role="wagebook_sweeper") as session:
        due = session.execute(_DUE, {"now": now, "kind": NIGHT}).scalars().all()
    queues.send_many(QUEUE, [{"tenant_id": str(tenant_id)} for tenant_id in due])
    return len(due)
