"""The sweep of due tenants: a schedule selects them over all tenants, and sends one message to each."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause

from chalicelib.backing import queues
from chalicelib.backing.database import transaction


def send_to_due_tenants(select_due: TextClause, values: Mapping[str, Any], *, queue: str) -> int:
    """Send one message for each tenant whose id the statement selects, and count them."""
    with transaction(role="wagebook_sweeper") as session:
        tenant_ids = session.execute(select_due, values).scalars().all()
    queues.send_many(queue, [{"tenant_id": str(tenant_id)} for tenant_id in tenant_ids])
    return len(tenant_ids)
