"""Schedules of payouts: the runs of an hour, and the sweep of payouts whose next attempt is due."""

from datetime import datetime

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.backing import cells, queues
from chalicelib.backing.database import statement, transaction
from chalicelib.delivery.sweep import send_due
from chalicelib.entry.messages import scheduled
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.models import payouts
from chalicelib.features.payouts.runs import actions
from chalicelib.features.payouts.runs.messages import PayoutRunKind
from chalicelib.identity.models import tenants
from chalicelib.kernel.states import PayoutStatus

blueprint = Blueprint(__name__)

AT_ONCE = 500  # payouts that one sweep sends

_DUE_TENANTS = text(statement(__file__, "due_tenants"))


@scheduled(blueprint, "cron(0 * * * ? *)", name="advance-payouts")
def send_advance_runs(*, now: datetime) -> int:
    """Send one message for each tenant with sales to advance or money to pay, for this hour."""
    return _send_runs(PayoutRunKind.ADVANCE, now)


@scheduled(blueprint, "cron(30 * * * ? *)", name="final-payouts")
def send_final_runs(*, now: datetime) -> int:
    """Send one message for each tenant with money to pay, for this hour."""
    return _send_runs(PayoutRunKind.FINAL, now)


@scheduled(blueprint, "rate(1 minute)", name="payouts-to-look-at")
def send_due_payouts(*, now: datetime) -> int:
    """Send a message for each payout whose next attempt is due, and for each queued one that nobody claimed."""
    return send_due(
        payouts,
        queue=delivery_actions.QUEUE,
        id_name="payout_id",
        limit=AT_ONCE,
        # also of suspended tenants, as doubts are still settled; what a tenant left here when it moved to another cell
        # is swept there
        of_tenants=tenants.c.cell == cells.here(),
        # doubts first: what waits for payouts to be switched on must not keep them from being settled
        urgent_first=[payouts.c.status == PayoutStatus.PAID, payouts.c.status == PayoutStatus.QUEUED],
    )


def _send_runs(kind: PayoutRunKind, now: datetime) -> int:
    """Send a message for each tenant that a run of this kind may concern, and count them."""
    with transaction(role="wagebook_sweeper") as session:
        tenant_ids = session.execute(_DUE_TENANTS, {"with_sales": kind is PayoutRunKind.ADVANCE}).scalars().all()
    slot = now.replace(minute=0, second=0, microsecond=0).isoformat()
    queues.send_many(
        actions.QUEUE, [{"tenant_id": str(tenant_id), "kind": kind.value, "slot": slot} for tenant_id in tenant_ids]
    )
    return len(tenant_ids)
