"""Queue consumers of payroll: one chunk of a calculation."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import consumes
from chalicelib.features.payroll.runs import actions, calculation
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress

blueprint = Blueprint(__name__)


@consumes(blueprint, calculation.QUEUE, batch_size=1, when_failed=progress.fail)
def calculate_chunk(scope: Scope, *, message: dict[str, Any]) -> None:
    """Calculate one chunk of employees; a chunk that is done or superseded is ignored."""
    chunk = progress.find_chunk(scope, UUID(message["job_id"]), message["chunk"])
    if chunk is not None:
        actions.continue_calculation(scope, message, chunk)
