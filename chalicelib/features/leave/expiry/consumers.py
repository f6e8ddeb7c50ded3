"""Queue consumers of leave expiry: a night of a tenant, or one chunk of its people."""

from datetime import date
from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import consumes
from chalicelib.features.leave.expiry import nightly_job as nights
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress

blueprint = Blueprint(__name__)


@consumes(blueprint, nights.QUEUE, batch_size=1, when_failed=progress.fail)
def do_night(scope: Scope, *, message: dict[str, Any]) -> None:
    """Do a night, or a chunk of one; one that is done already is not done again."""
    job_id = UUID(message["job_id"]) if "job_id" in message else None
    as_of = date.fromisoformat(message["as_of"]) if "as_of" in message else None
    if "chunk" not in message or job_id is None or as_of is None:
        nights.begin(scope, job_id=job_id, as_of=as_of)
    elif chunk := progress.find_chunk(scope, job_id, message["chunk"]):
        nights.do_chunk(scope, job_id=job_id, as_of=as_of, chunk=chunk)
