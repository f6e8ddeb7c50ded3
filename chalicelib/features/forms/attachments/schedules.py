"""Schedules of attachments: files that nobody submitted."""

from datetime import datetime

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.entry.messages import scheduled
from chalicelib.features.forms.attachments import removal_actions as removal
from chalicelib.features.forms.attachments import rules

blueprint = Blueprint(__name__)

_WITH_LEFT_OVER = text("""
    select distinct tenant_id from form_attachments a where submission_id is null and created_at < :old
        and exists (select from tenants t where t.id = a.tenant_id and t.status = 'active')""")


@scheduled(blueprint, "rate(1 hour)", name="remove-attachments")
def send_attachments_to_remove(*, now: datetime) -> int:
    """Send a message for each tenant that has files which were not submitted within a day."""
    with transaction(role="wagebook_sweeper") as session:
        tenants = session.execute(_WITH_LEFT_OVER, {"old": now - rules.KEPT_FOR}).scalars().all()
    queues.send_many(removal.QUEUE, [{"tenant_id": str(tenant_id)} for tenant_id in tenants])
    return len(tenants)
