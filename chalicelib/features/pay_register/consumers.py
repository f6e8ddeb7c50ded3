"""Queue consumers of the pay register: a night of a tenant, and one chunk of a computation."""

from datetime import date
from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import consumes
from chalicelib.features.pay_register import actions, calculation
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress

blueprint = Blueprint(__name__)


@consumes(blueprint, actions.NIGHTLY_QUEUE, when_failed=progress.fail)
def compute_night(scope: Scope, *, message: dict[str, Any]) -> None:
    """Compute register and balances of the tenant as of yesterday, or of the day an operator asked for."""
    job_id, as_of = message.get("job_id"), message.get("as_of")
    actions.run_nightly(
        scope, job_id=UUID(job_id) if job_id else None, as_of=date.fromisoformat(as_of) if as_of else None
    )


@consumes(blueprint, calculation.QUEUE, batch_size=1, when_failed=progress.fail)
def compute_chunk(scope: Scope, *, message: dict[str, Any]) -> None:
    """Compute one chunk of employees; one that is done already is not done again."""
    chunk = progress.find_chunk(scope, UUID(message["job_id"]), message["chunk"])
    if chunk is not None:
        calculation.do_chunk(scope, message, chunk)
