"""Queue consumer of the pay register: one chunk of a computation."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import consumes
from chalicelib.features.pay_register import calculation
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress

blueprint = Blueprint(__name__)


@consumes(blueprint, calculation.QUEUE, batch_size=1, when_failed=progress.fail)
def compute_chunk(scope: Scope, *, message: dict[str, Any]) -> None:
    """Compute one chunk of employees; one that is done already is not done again."""
    chunk = progress.find_chunk(scope, UUID(message["job_id"]), message["chunk"])
    if chunk is not None:
        calculation.do_chunk(scope, message, chunk)
