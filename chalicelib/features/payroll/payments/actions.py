"""Payment of an approved run: each payslip by one payout. The run is paid when all its payslips are.

`pay` starts the payouts that are missing, and the run is `partly_paid`. Each settled payout sends a message, which
recomputes the run's state: `paid` when nothing waits or is in flight, `partly_paid` again when money came back. Both
lock the run's row first, so states follow each other, and repeating either changes nothing.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit
from chalicelib.features.payouts.runs import actions as payouts
from chalicelib.features.payouts.runs import earmark_actions
from chalicelib.features.payroll.approval import queries
from chalicelib.features.payroll.payments import queries as payment_queries
from chalicelib.features.payroll.payments.schemas import PayStarted
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.features.periods import states as periods
from chalicelib.identity.scope import Scope
from chalicelib.jobs.schemas import started
from chalicelib.kernel.errors import AlreadyDecided, Conflict
from chalicelib.kernel.states import PAYROLL_MOVES, PayrollStatus, check_move

_PAYING = text("""
    update payroll_runs set status = 'partly_paid', paid_by = :actor, paid_by_ids = cast(:actor_ids as uuid[])
    where tenant_id = :tenant_id and id = :run_id""")

_MOVE = text("""
    update payroll_runs set status = :status, paid_at = case when :status = 'paid' then :now end
    where tenant_id = :tenant_id and id = :run_id""")


def pay(scope: Scope, *, run_id: UUID) -> PayStarted:
    """Start the missing payouts of a posted run's payslips; called again, it pays the rest.

    Raises Conflict before all of it is posted, or while payouts are disabled; AlreadyDecided once it is paid.
    """
    run = queries.get_run(scope, run_id)
    status = _move_by_payouts(scope, run)
    if status in (PayrollStatus.DRAFT, PayrollStatus.CALCULATED):
        raise Conflict(f"This payroll run is {status}; it has to be approved before it is paid.")
    if status is PayrollStatus.PAID:
        raise AlreadyDecided("This payroll run is paid, each of its payslips.")
    check_move(PAYROLL_MOVES, now=status, to=PayrollStatus.PARTLY_PAID, what="payroll run")
    if run.posted_at is None:
        raise Conflict(
            f"This payroll run is still being booked; pay it when /jobs/{run.job_id} says that it succeeded."
        )
    scope.session.execute(
        _PAYING, {**_key(scope, run), "actor": scope.actor.name, "actor_ids": sorted(scope.actor.all_ids)}
    )
    job_id = payouts.request_payroll(scope, payroll_run_id=run_id)
    audit.record(
        scope,
        action="payroll_run.pay_requested",
        entity_type="payroll_run",
        entity_id=run_id,
        before={"status": status},
        after={"status": PayrollStatus.PARTLY_PAID, "job_id": job_id},
    )
    # a run with nothing to pay is paid at once
    status = _move_by_payouts(scope, replace(run, status=PayrollStatus.PARTLY_PAID))
    payment = payment_queries.sum_payment(scope, run_id)
    return PayStarted(**started(job_id).model_dump(), id=run_id, status=status, payment=payment)


def settle(scope: Scope, *, run_id: UUID) -> None:
    """Recompute a run's state after its payouts changed."""
    _move_by_payouts(scope, queries.get_run(scope, run_id))


def _move_by_payouts(scope: Scope, run: PayrollRunRow) -> PayrollStatus:
    """Move a run between partly_paid and paid by its payouts, and return its state; its row is locked."""
    before = PayrollStatus(run.status)
    if before not in (PayrollStatus.PARTLY_PAID, PayrollStatus.PAID):
        return before
    is_open = earmark_actions.has_open_payments(scope, payroll_run_id=run.id)
    after = PayrollStatus.PARTLY_PAID if is_open else PayrollStatus.PAID
    if after is not before:
        values = {**_key(scope, run), "status": after.value}
        scope.session.execute(_MOVE, {**values, "now": scope.now})
        periods.record_payments(scope, payroll_run_id=run.id, is_paid=after is PayrollStatus.PAID)
        audit.record(
            scope,
            entity_type="payroll_run",
            entity_id=run.id,
            before={"status": before},
            after={"status": after},
            action="payroll_run.paid" if after is PayrollStatus.PAID else "payroll_run.partly_paid",
        )
    return after


def _key(scope: Scope, run: PayrollRunRow) -> dict[str, Any]:
    return {"tenant_id": scope.tenant_id, "run_id": run.id}
