"""HTTP endpoints of payslips and registers as files."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import FileReply, endpoint
from chalicelib.features.payroll.documents import actions, schemas
from chalicelib.features.payroll.runs import exports as run_exports
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/payslips/{payslip_id}/pdf", may="payslips.read")
def get_payslip_pdf(scope: Scope, payslip_id: UUID) -> schemas.PayslipFile:
    """Give an address from which an approved payslip's PDF can be saved, for five minutes.

    503 says that it is being made: try again after `Retry-After`.
    """
    return actions.open_file(scope, payslip_id)


@endpoint(blueprint, "GET", "/payroll-runs/{run_id}/export", may="payroll.read", produces="text/csv")
def export_payroll_run(scope: Scope, run_id: UUID, query: schemas.RegisterQuery) -> FileReply:
    """Write a calculated run as a CSV or XLSX file: a row per payslip, and the totals of each currency."""
    return run_exports.export(scope, run_id=run_id, query=query)
