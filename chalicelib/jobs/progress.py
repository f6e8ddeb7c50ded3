"""The writes of a job's life: created, started, split into chunks, finished or failed."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.identity.scope import Scope
from chalicelib.jobs.schemas import Started
from chalicelib.kernel.states import JobStatus

CHUNK_EMPLOYEES = 5000  # a chunk takes a fraction of a second; speed.md: chunks of 2,000 to 5,000 cost 4 %


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of employees by id, both ends included."""

    number: int
    first_user_id: UUID
    last_user_id: UUID
    employees: int


def create(scope: Scope, *, kind: str, parameters: dict[str, Any]) -> UUID:
    """This will write a queued job."""
    job_id: UUID = scope.session.execute(
        text(
            "insert into jobs (tenant_id, kind, parameters) values (:tenant_id, :kind, cast(:p as jsonb)) returning id"
        ),
        {"tenant_id": scope.tenant_id, "kind": kind, "p": json.dumps(parameters, default=str)},
    ).scalar_one()
    return job_id


def start(scope: Scope, job_id: UUID, *, total: int) -> None:
    """This will mark a job as running; one that is over stays so."""
    scope.session.execute(
        text("update jobs set status = 'running', total = :total"
             " where tenant_id = :tenant_id and id = :id and status in ('queued', 'running', 'failed')"),
        {"tenant_id": scope.tenant_id, "id": job_id, "total": total},
    )  # fmt: skip


def split(scope: Scope, job_id: UUID, chunks: list[Chunk]) -> None:
    """This will write a job's chunks; splitting again, from a repeated message, changes nothing."""
    scope.session.execute(
        text("insert into job_chunks (tenant_id, job_id, number, first_user_id, last_user_id, employees)"
             " values (:tenant_id, :job_id, :number, :first, :last, :employees) on conflict do nothing"),
        [{"tenant_id": scope.tenant_id, "job_id": job_id, "number": chunk.number, "first": chunk.first_user_id,
          "last": chunk.last_user_id, "employees": chunk.employees} for chunk in chunks],
    )  # fmt: skip


def finish_chunk(scope: Scope, job_id: UUID, *, number: int) -> bool:
    """This will count a chunk as done, once, and tell whether it was the job's last."""
    # The job's row is locked first, so that of two chunks that finish at once the later sees the earlier.
    left = scope.session.execute(
        text("""
            with mine as (
                select id from jobs where tenant_id = :tenant_id and id = :job_id for update
            ), counted as (
                update job_chunks set done_at = :now from mine
                where tenant_id = :tenant_id and job_id = mine.id and number = :number and done_at is null
                returning employees
            )
            update jobs set done = done + (select employees from counted)
            where tenant_id = :tenant_id and id = :job_id and exists (select from counted)
            returning total - done"""),
        {"tenant_id": scope.tenant_id, "job_id": job_id, "number": number, "now": scope.now},
    ).scalar_one_or_none()
    return left == 0


def finish(scope: Scope, job_id: UUID, *, result: dict[str, Any]) -> None:
    """This will mark a job as succeeded, with what it did."""
    scope.session.execute(
        text("update jobs set status = 'succeeded', done = coalesce(total, done), error = null, finished_at = :now,"
             " result = cast(:result as jsonb) where tenant_id = :tenant_id and id = :id"),
        {"tenant_id": scope.tenant_id, "id": job_id, "now": scope.now, "result": json.dumps(result, default=str)},
    )  # fmt: skip


def fail(scope: Scope, *, message: dict[str, Any], why: str) -> None:
    """This will mark a message's job as failed, unless it succeeded meanwhile; replaying the message revives it."""
    if "job_id" in message:
        scope.session.execute(
            text("update jobs set status = 'failed', error = :why, finished_at = :now"
                 " where tenant_id = :tenant_id and id = :id and status <> 'succeeded'"),
            {"tenant_id": scope.tenant_id, "id": UUID(message["job_id"]), "why": why, "now": scope.now},
        )  # fmt: skip


def started(job_id: UUID, *, status: JobStatus) -> Started:
    """This will say where a job can be followed."""
    return Started(job_id=job_id, status_url=f"/jobs/{job_id}", status=status)
