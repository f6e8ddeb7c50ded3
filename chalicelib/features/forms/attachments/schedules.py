"""Schedules of attachments: removal of files that nobody submitted."""

from datetime import datetime

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.entry.messages import scheduled
from chalicelib.features.forms.attachments import removal_actions as removal
from chalicelib.features.forms.attachments import rules
from chalicelib.jobs.due_tenants import send_to_due_tenants

blueprint = Blueprint(__name__)

_WITH_LEFT_OVER = text("""
    select distinct tenant_id from form_attachments a where submission_id is null and created_at < :old
        and exists (select from tenants t where t.id = a.tenant_id and t.status = 'active')""")


@scheduled(blueprint, "rate(1 hour)", name="remove-attachments")
def send_attachments_to_remove(*, now: datetime) -> int:
    """Send a message for each tenant that has files which were not submitted within a day."""
    return send_to_due_tenants(_WITH_LEFT_OVER, {"old": now - rules.KEPT_FOR}, queue=removal.QUEUE)
