"""Process a job's messages in this process, where no worker consumes the queues or none shall."""

import sys
from collections import deque
from collections.abc import Sequence
from contextlib import redirect_stdout
from uuid import UUID, uuid4

from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.backing.database import transaction
from chalicelib.backing.outbox import Message
from chalicelib.entry.messages import process_message
from chalicelib.entry.registry import CONSUMERS
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.jobs import progress
from chalicelib.operators.scopes import operator_name


def process_here(messages: Sequence[Message]) -> int:
    """Process messages and those that they send, a transaction each, and return their number.

    A message that fails fails its job, and its error is raised; what was done before it stays done.
    """
    import chalicelib.blueprints  # noqa: F401  # registers the consumers

    waiting, done = deque(messages), 0
    while waiting:
        message = waiting.popleft()
        body = {**message.body, "tenant_id": str(message.tenant_id)}
        origin = Origin(request_id=f"cli-{uuid4()}", agent="chalicelib.cli")
        try:
            with redirect_stdout(sys.stderr):  # a consumer's metrics must not mix with the command's output
                function = CONSUMERS[message.queue].function
                process_message(function, body, name=operator_name(), origin=origin, send=waiting.extend)
        except Exception as error:
            _fail_job(message.tenant_id, body, f"{type(error).__name__} in {operator_name()}'s terminal")
            raise
        _mark_sent(message)
        done += 1
    return done


def _mark_sent(message: Message) -> None:
    # processed already: sent again after a crash here, it would find nothing left to do
    with transaction(tenant_id=message.tenant_id) as session:
        session.execute(
            text("update outbox set sent_at = now() where tenant_id = :tenant_id and id = :id"),
            {"tenant_id": message.tenant_id, "id": message.id},
        )


def _fail_job(tenant_id: UUID, body: dict[str, object], why: str) -> None:
    with job_scope(tenant_id, name=operator_name(), now=clock.now(), origin=Origin("cli")) as scope:
        progress.fail(scope, message=body, why=why)
