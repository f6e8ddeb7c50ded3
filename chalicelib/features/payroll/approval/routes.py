"""HTTP endpoint that approves a calculated run."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.features.payroll.approval import actions
from chalicelib.features.payroll.runs.schemas import RunStarted
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/payroll-runs/{run_id}/approve", may="payroll.approve", status=202, moves_money=True)
def approve_payroll_run(scope: Scope, run_id: UUID) -> RunStarted:
    """Fix a run's payslips, lock its period and book what everybody is owed, withheld and carried.

    Whoever calculated it last may not approve it. Facts that changed since then are not in it: it has to be calculated
    again first. The job tells when all of it is booked.
    """
    return actions.approve(scope, run_id=run_id)
