"""What payouts publish in the transaction of a change: webhooks to the tenant's systems, a message to payroll."""

from uuid import UUID

from chalicelib.features.payouts.models import PayoutRow
from chalicelib.features.webhooks import actions as webhooks
from chalicelib.features.webhooks.rules import EventType
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PayoutStatus

# A claim and its end mean nothing outside, so sending and queued are not published; nor is that a run made a payout.
_EVENT_TYPES = {
    PayoutStatus.CANCELLED: EventType.PAYOUT_CANCELLED,
    PayoutStatus.FAILED: EventType.PAYOUT_FAILED,
    PayoutStatus.PAID: EventType.PAYOUT_PAID,
    PayoutStatus.RETURNED: EventType.PAYOUT_RETURNED,
    PayoutStatus.REVIEW: EventType.PAYOUT_REVIEW,
    PayoutStatus.UNKNOWN: EventType.PAYOUT_UNKNOWN,
}


# Payroll stands above payouts, so what becomes of its payslips' payouts is sent to it.
PAYROLL_QUEUE = "payroll-payments"


def notify_payroll(scope: Scope, *, payroll_run_id: UUID) -> None:
    """Send payroll, once per transaction, that the payment of a run's payslips has moved on or back."""
    body = {"run_id": str(payroll_run_id)}
    if not any(message.queue == PAYROLL_QUEUE and message.body == body for message in scope.outgoing):
        scope.send(PAYROLL_QUEUE, [body])


def publish_status(scope: Scope, payout: PayoutRow, *, since: PayoutStatus) -> None:
    """Publish a payout's new status by webhook, if it is one that the tenant can act upon."""
    status = PayoutStatus(payout.status)
    if status is since or status not in _EVENT_TYPES:
        return
    data = {
        "id": str(payout.id),
        "user_id": str(payout.user_id),
        "amount": format(payout.amount, "f"),
        "currency": payout.currency,
        "status": status.value,
        "previous_status": since.value,
        "reference": payout.reference,
    }
    if payout.problem:
        data["problem"] = payout.problem
    webhooks.publish(scope, event_type=_EVENT_TYPES[status], data=data)
