"""Queue consumers of payment: payouts of a run's payslips have moved."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import consumes
from chalicelib.features.payouts.events import PAYROLL_QUEUE
from chalicelib.features.payroll.payments import actions
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


# what was paid is written down for a suspended tenant, too
@consumes(blueprint, PAYROLL_QUEUE, while_suspended=True, uses=("vault",))
def settle_payroll(scope: Scope, *, message: dict[str, Any]) -> None:
    """Mark a run as paid when each of its payslips is, and as partly paid when money came back."""
    actions.settle(scope, run_id=UUID(message["run_id"]))
