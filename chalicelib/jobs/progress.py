"""The writes of a job's life: created, started, split into chunks, finished or failed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.identity.scope import Scope

CHUNK_EMPLOYEES = 5000  # a chunk takes a fraction of a second; chunks of 2,000 to 5,000 cost 4 % over none
STUCK_AFTER = timedelta(hours=1)  # a chunk takes seconds; whatever still runs after this has lost its messages

_ADD_COUNTS = text("""
    update jobs set result = coalesce(result, '{}') || (
        select jsonb_object_agg(name, coalesce((result ->> name)::numeric, 0) + counted::numeric)
        from jsonb_each_text(cast(:counts as jsonb)) as c (name, counted))
    where tenant_id = :tenant_id and id = :job_id""")
_CLAIM, _FINISH_CHUNK = text(statement(__file__, "claim")), text(statement(__file__, "finish_chunk"))
_COUNTS = text("select coalesce(result, '{}') from jobs where tenant_id = :tenant_id and id = :job_id")


@dataclass(frozen=True, slots=True)
class JobChunk:
    """A range of employees by id, both ends included."""

    number: int
    first_user_id: UUID
    last_user_id: UUID
    employees: int


def create(scope: Scope, *, kind: str, parameters: dict[str, Any]) -> UUID:
    """Write a queued job."""
    job_id: UUID = scope.session.execute(
        text(
            "insert into jobs (tenant_id, kind, parameters)"
            " values (:tenant_id, :kind, cast(:parameters as jsonb)) returning id"
        ),
        {"tenant_id": scope.tenant_id, "kind": kind, "parameters": json.dumps(parameters, default=str)},
    ).scalar_one()
    return job_id


def claim(scope: Scope, *, kind: str, key: str, parameters: dict[str, Any]) -> UUID | None:
    """Claim work that is to be done once per key; None where it is done or under way."""
    claimed: UUID | None = scope.session.execute(
        _CLAIM,
        {
            "tenant_id": scope.tenant_id,
            "kind": kind,
            "key": key,
            "parameters": json.dumps(parameters, default=str),
            "now": scope.now,
            "stuck": scope.now - STUCK_AFTER,
        },
    ).scalar_one_or_none()
    return claimed


def is_over(scope: Scope, job_id: UUID) -> bool:
    """Return whether a job has succeeded, so that a repeated message for it has nothing left to do; lock its row."""
    status = scope.session.execute(
        text("select status from jobs where tenant_id = :tenant_id and id = :id for update"),
        {"tenant_id": scope.tenant_id, "id": job_id},
    ).scalar_one_or_none()
    return status == "succeeded"


def split(scope: Scope, job_id: UUID, chunks: list[JobChunk]) -> None:
    """Start a job over these chunks, none of them done."""
    key = {"tenant_id": scope.tenant_id, "job_id": job_id}
    scope.session.execute(text("delete from job_chunks where tenant_id = :tenant_id and job_id = :job_id"), key)
    if chunks:
        scope.session.execute(
            text(
                "insert into job_chunks (tenant_id, job_id, number, first_user_id, last_user_id, employees)"
                " values (:tenant_id, :job_id, :number, :first, :last, :employees)"
            ),
            [
                {
                    **key,
                    "number": chunk.number,
                    "first": chunk.first_user_id,
                    "last": chunk.last_user_id,
                    "employees": chunk.employees,
                }
                for chunk in chunks
            ],
        )
    scope.session.execute(
        text(
            "update jobs set status = 'running', error = null, done = 0, total = :total, started_at = :now"
            " where tenant_id = :tenant_id and id = :job_id"
        ),
        {**key, "total": sum(chunk.employees for chunk in chunks), "now": scope.now},
    )


def fan_out(
    scope: Scope,
    job_id: UUID,
    *,
    chunks: list[JobChunk],
    queue: str,
    message: dict[str, Any],
    do: Callable[[JobChunk], None],
    finish: Callable[[], None],
    at_once: bool = True,
) -> None:
    """Start a job over these chunks (fan-out): a single one is done at once, more are sent, none ends the job.

    A chunk is sent as `message` with the job's id and its own number. Without `at_once` a single one is sent, too.
    """
    split(scope, job_id, chunks)
    if len(chunks) > 1 or (chunks and not at_once):
        scope.send(queue, [{**message, "job_id": str(job_id), "chunk": chunk.number} for chunk in chunks])
    elif chunks:
        do(chunks[0])
    else:
        finish()


def find_chunk(scope: Scope, job_id: UUID, number: int) -> JobChunk | None:
    """Lock and return a chunk that is still to be done, or None."""
    row = scope.session.execute(
        text(
            "select number, first_user_id, last_user_id, employees from job_chunks"
            " where tenant_id = :tenant_id and job_id = :job_id and number = :number and done_at is null for update"
        ),
        {"tenant_id": scope.tenant_id, "job_id": job_id, "number": number},
    ).first()
    return JobChunk(*row) if row else None


def finish_chunk(scope: Scope, job_id: UUID, *, number: int, changed: int) -> bool:
    """Count a chunk as done, once; return whether it was the job's last."""
    left = scope.session.execute(
        _FINISH_CHUNK,
        {
            "tenant_id": scope.tenant_id,
            "job_id": job_id,
            "number": number,
            "changed": changed,
            "now": scope.now,
        },
    ).scalar_one_or_none()
    return left == 0


def sum_changed(scope: Scope, job_id: UUID) -> int:
    """Sum what a job's chunks changed."""
    changed: int = scope.session.execute(
        text("select coalesce(sum(changed), 0) from job_chunks where tenant_id = :tenant_id and job_id = :job_id"),
        {"tenant_id": scope.tenant_id, "job_id": job_id},
    ).scalar_one()
    return changed


def add_counts(scope: Scope, job_id: UUID, counts: Mapping[str, int | Decimal]) -> None:
    """Add what one chunk counted to the sums of its job."""
    scope.session.execute(
        _ADD_COUNTS, {"tenant_id": scope.tenant_id, "job_id": job_id, "counts": json.dumps(counts, default=str)}
    )


def load_counts(scope: Scope, job_id: UUID) -> Mapping[str, Any]:
    """Return the sums that a job's chunks have counted so far, by name."""
    counts: Mapping[str, Any] = scope.session.execute(
        _COUNTS, {"tenant_id": scope.tenant_id, "job_id": job_id}
    ).scalar_one()
    return counts


def finish(scope: Scope, job_id: UUID, *, result: dict[str, Any]) -> None:
    """Mark a job as succeeded, with its result."""
    scope.session.execute(
        text(
            "update jobs set status = 'succeeded', total = coalesce(total, 0), done = coalesce(total, 0), error = null,"
            " finished_at = :now, result = cast(:result as jsonb) where tenant_id = :tenant_id and id = :id"
        ),
        {
            "tenant_id": scope.tenant_id,
            "id": job_id,
            "now": scope.now,
            "result": json.dumps(result, default=str),
        },
    )


def fail(scope: Scope, *, message: dict[str, Any], why: str) -> None:
    """Mark a message's job as failed, unless it succeeded meanwhile; replaying the message revives it."""
    if "job_id" in message:
        scope.session.execute(
            text(
                "update jobs set status = 'failed', error = :why, finished_at = :now"
                " where tenant_id = :tenant_id and id = :id and status <> 'succeeded'"
            ),
            {"tenant_id": scope.tenant_id, "id": UUID(message["job_id"]), "why": why, "now": scope.now},
        )
