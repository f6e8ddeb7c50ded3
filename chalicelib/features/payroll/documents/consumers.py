"""Queue consumers of payslips as files."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import SideEffect, consumes
from chalicelib.features.payroll.documents import actions
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


# one to a batch: its function is the only one with the layer of typst and fonts, and the first call loads them
@consumes(blueprint, actions.QUEUE, batch_size=1, at_once=10, uses=("files",))
def make_payslip_documents(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Make the files that a range of a run's people still lack."""
    return actions.make(scope, run_id=UUID(message["run_id"]), first=UUID(message["first"]), last=UUID(message["last"]))
