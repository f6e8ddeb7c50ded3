"""Schedules of payouts: who is due for a run, and which payouts somebody has to look at again."""

from datetime import datetime

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.backing import cells, queues
from chalicelib.backing.database import transaction
from chalicelib.entry.messages import scheduled
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.runs import actions
from chalicelib.features.payouts.runs.actions import PayoutRunKind

blueprint = Blueprint(__name__)

_DUE = text("""
    select t.id from tenants t
    where t.status = 'active' and (
        exists (select from ledger_accounts a where a.tenant_id = t.id and a.kind = 'payable' and a.balance < 0)
        or :with_sales and exists (select from pending_sales p where p.tenant_id = t.id))
    order by t.id""")

AT_ONCE = 500

# By the database's clock, as the moments were set by it. Each tenant gets its share, so that a thousand payouts of
# one do not keep another's waiting; doubts come first, so that what waits for payouts to be switched on does not keep
# them from being settled.
_TO_LOOK_AT = text("""
    select tenant_id, id from (
        select tenant_id, id, look_at, row_number() over (
            partition by tenant_id order by status = 'paid', status = 'queued', look_at) as turn
        from payouts p where look_at <= clock_timestamp()
            -- what a tenant left here when it moved to another cell is looked at there
            and exists (select from tenants t where t.id = p.tenant_id and t.cell = :cell)
    ) due
    order by turn, look_at limit :limit""")


@scheduled(blueprint, "cron(0 * * * ? *)", name="advance-payouts")
def send_advance_runs(*, now: datetime) -> int:
    """Send one message for each tenant with sales to advance or money to pay, for this hour."""
    return _send_runs(PayoutRunKind.ADVANCE, now)


@scheduled(blueprint, "cron(30 * * * ? *)", name="final-payouts")
def send_final_runs(*, now: datetime) -> int:
    """Send one message for each tenant with money to pay, for this hour."""
    return _send_runs(PayoutRunKind.FINAL, now)


@scheduled(blueprint, "rate(1 minute)", name="payouts-to-look-at")
def send_payouts_to_look_at(*, now: datetime) -> int:
    """Send a message for each payout in doubt whose next look is due, and for each that nobody took."""
    with transaction(role="wagebook_sweeper") as session:
        due = session.execute(_TO_LOOK_AT, {"limit": AT_ONCE, "cell": cells.here()}).all()
    queues.send_many(
        delivery_actions.QUEUE, [{"tenant_id": str(row.tenant_id), "payout_id": str(row.id)} for row in due]
    )
    return len(due)


def _send_runs(kind: PayoutRunKind, now: datetime) -> int:
    with transaction(role="wagebook_sweeper") as session:
        due = session.execute(_DUE, {"with_sales": kind is PayoutRunKind.ADVANCE}).scalars().all()
    slot = now.replace(minute=0, second=0, microsecond=0).isoformat()
    queues.send_many(
        actions.QUEUE, [{"tenant_id": str(tenant_id), "kind": kind.value, "slot": slot} for tenant_id in due]
    )
    return len(due)
