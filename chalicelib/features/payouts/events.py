"""What payouts publish in the transaction of a change: to the tenant's systems by webhook, to payroll by message."""

from uuid import UUID

from chalicelib.backing.database import Record
from chalicelib.features.webhooks import actions as webhooks
from chalicelib.features.webhooks.rules import EventType
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PayoutStatus

# A claim and its undoing mean nothing outside, so sending and queued are not told; nor is that a run made a payout.
_TOLD = {
    PayoutStatus.CANCELLED: EventType.PAYOUT_CANCELLED,
    PayoutStatus.FAILED: EventType.PAYOUT_FAILED,
    PayoutStatus.PAID: EventType.PAYOUT_PAID,
    PayoutStatus.RETURNED: EventType.PAYOUT_RETURNED,
    PayoutStatus.REVIEW: EventType.PAYOUT_REVIEW,
    PayoutStatus.UNKNOWN: EventType.PAYOUT_UNKNOWN,
}


# Payroll stands above payouts, so what becomes of its payslips' payouts is sent to it.
PAYROLL_QUEUE = "payroll-payments"


def payroll_moved(scope: Scope, *, payroll_run_id: UUID) -> None:
    """Notify payroll, once per transaction, that the payment of a run's payslips has moved on or back."""
    body = {"run_id": str(payroll_run_id)}
    if not any(one.queue == PAYROLL_QUEUE and one.body == body for one in scope.outgoing):
        scope.send(PAYROLL_QUEUE, [body])


def moved(scope: Scope, payout: Record, *, since: PayoutStatus) -> None:
    """Report of a payout's new status, if it is one that anybody outside can act upon."""
    status = PayoutStatus(payout["status"])
    if status is since or status not in _TOLD:
        return
    data = {
        "id": str(payout["id"]),
        "user_id": str(payout["user_id"]),
        "amount": format(payout["amount"], "f"),
        "currency": payout["currency"],
        "status": status.value,
        "previous_status": since.value,
        "reference": payout["reference"],
    }
    if payout["problem"]:
        data["problem"] = payout["problem"]
    webhooks.publish(scope, event_type=_TOLD[status], data=data)
