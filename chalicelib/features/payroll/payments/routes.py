"""HTTP endpoints of payment: pay a run's payslips, and see whom it has not reached and why."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.payroll.payments import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/payroll-runs/{run_id}/pay", may="payroll.pay", status=202, moves_money=True)
def pay_payroll_run(scope: Scope, run_id: UUID) -> schemas.PayStarted:
    """Pay the payslips of an approved run, and nothing else: one payout a person, of the net or what is payable of it.

    The run is `partly_paid` until the last payout is confirmed, then `paid`. `payment` lists who is not paid and why;
    call it again to pay the rest. What people are owed otherwise is paid by runs of payouts.
    """
    return actions.pay(scope, run_id=run_id)


@endpoint(blueprint, "GET", "/payroll-runs/{run_id}/payments", may="payroll.read", reply=Page[schemas.Payment])
def list_payments(scope: Scope, run_id: UUID, query: schemas.PaymentQuery) -> RowPage[schemas.Payment]:
    """List what became of each payslip of an approved run: paid, in flight, or not paid and why."""
    return queries.page_of_payments(scope, run_id, query)
