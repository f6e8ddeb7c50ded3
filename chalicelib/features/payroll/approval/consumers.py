"""Queue consumers of posting: one chunk of an approved run's payslips into the ledger."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import consumes
from chalicelib.features.payroll.approval import posting
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress

blueprint = Blueprint(__name__)


@consumes(blueprint, posting.QUEUE, batch_size=1, when_failed=progress.fail, uses=("files",))
def post_payslips(scope: Scope, *, message: dict[str, Any]) -> None:
    """Book one chunk of people; one that is booked already is not booked again."""
    chunk = progress.find_chunk(scope, UUID(message["job_id"]), message["chunk"])
    if chunk is not None:
        posting.do_chunk(scope, message, chunk)
