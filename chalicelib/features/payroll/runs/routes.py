"""HTTP endpoints of payroll runs and payslips."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.entry.rows import CSV_OR_JSON, ImportQuery, read_rows
from chalicelib.features.payroll.payments import queries as payment_queries
from chalicelib.features.payroll.payments.schemas import PaidRun
from chalicelib.features.payroll.runs import actions, amount_actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/payroll-runs", may="payroll.read", reply=Page[schemas.PayrollRun])
def list_runs(scope: Scope, query: schemas.PayrollRunQuery) -> RowPage[schemas.PayrollRun]:
    """List payroll runs, oldest first."""
    return queries.page_of_runs(scope, query)


@endpoint(blueprint, "POST", "/payroll-runs", may="payroll.write", status=201)
def create_run(scope: Scope, body: schemas.NewPayrollRun) -> schemas.PayrollRun:
    """Make a run as a draft: the regular one of a month, or an off-cycle one for what cannot wait.

    An off-cycle run pays no salary: it computes the components it names, and takes open adjustments and arrears.
    """
    return actions.create(scope, new=body)


@endpoint(blueprint, "GET", "/payroll-runs/{run_id}", may="payroll.read")
def get_run(scope: Scope, run_id: UUID) -> PaidRun:
    """Show a run: what it comes to, what differs from the run before, what somebody should look at, who is not paid."""
    return payment_queries.get_run(scope, run_id)


@endpoint(blueprint, "POST", "/payroll-runs/{run_id}/calculate", may="payroll.write", status=202)
def calculate_run(scope: Scope, run_id: UUID, body: schemas.CalculateRequest) -> schemas.RunStarted:
    """Calculate everybody's payslips, in the place of any that this run had.

    Facts that changed are taken in first. With `user_ids`, only these people are calculated again, unless anything
    that concerns others has changed since: then everybody is.
    """
    return actions.request_calculation(scope, run_id=run_id, user_ids=body.user_ids)


@endpoint(blueprint, "POST", "/payroll-runs/{run_id}/cancel", may="payroll.write")
def cancel_run(scope: Scope, run_id: UUID, body: schemas.CancelRequest) -> schemas.PayrollRun:
    """Give up a run that is not approved."""
    return actions.cancel(scope, run_id=run_id, reason=body.reason)


@endpoint(blueprint, "POST", "/payroll-runs/{run_id}/amounts", may="payroll.write", accepts=CSV_OR_JSON)
def give_amounts(scope: Scope, run_id: UUID, body: RawBody, query: ImportQuery) -> schemas.AmountsReport:
    """Set what dynamic components come to in this run, as JSON or CSV; wrong rows are told by line.

    Columns: `employee_no` or `user_id`, `payment_type` (its code) and `amount`, in the currency of the person's pay; 0
    takes an amount away. The run is calculated again to take them in. Sending a file twice changes nothing.
    """
    rows = read_rows(
        body, required=["payment_type", "amount"], optional=["employee_no", "user_id"], limit=amount_actions.MOST_ROWS
    )
    return amount_actions.set_amounts(scope, run_id=run_id, rows=rows, dry_run=query.dry_run)


@endpoint(blueprint, "GET", "/payroll-runs/{run_id}/payslips", may="payroll.read", reply=Page[schemas.PayslipHead])
def list_run_payslips(scope: Scope, run_id: UUID, query: schemas.RunPayslipQuery) -> RowPage[schemas.PayslipHead]:
    """List a run's payslips with their difference to the run before and their anomalies."""
    return queries.page_of_run_payslips(scope, run_id, query)


@endpoint(blueprint, "GET", "/payslips", may="payslips.read", reply=Page[schemas.PayslipHead])
def list_payslips(scope: Scope, query: schemas.PayslipQuery) -> RowPage[schemas.PayslipHead]:
    """List payslips, oldest first: everybody's, or your own once they are approved."""
    return queries.page_of_payslips(scope, query)


@endpoint(blueprint, "GET", "/payslips/{payslip_id}", may="payslips.read")
def get_payslip(scope: Scope, payslip_id: UUID) -> schemas.Payslip:
    """Show a payslip: every line with its formula, the values it took, and its amount."""
    return queries.get_payslip(scope, payslip_id)
