"""Wait for a job that another process runs, and show its progress."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from chalicelib.backing import rows
from chalicelib.backing.database import transaction
from chalicelib.kernel.states import JobStatus

NOT_TAKEN = (
    "Nobody has taken the job from its queue for {:.0f} s: is `make run` running? With --inline it is done here."
)
HINT_AFTER = 5.0  # seconds
PAUSE = 0.15
OVER = (JobStatus.SUCCEEDED, JobStatus.FAILED)

_JOB = text("""
    select id, kind, status, done, total, parameters, result, error, created_at, finished_at
    from jobs where tenant_id = :tenant_id and id = :id""")


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as `jobs run` prints it, its fields in the order of the JSON document."""

    id: UUID
    kind: str
    status: str
    done: int
    total: int | None
    parameters: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


def get_job(tenant_id: UUID, job_id: UUID) -> JobRow:
    """Return a job's row."""
    with transaction(tenant_id=tenant_id) as session:
        return rows.one(JobRow, session.execute(_JOB, {"tenant_id": tenant_id, "id": job_id}))


def follow(tenant_id: UUID, job_id: UUID, *, give_up_after: float, shown: bool) -> JobRow:
    """Wait until a job is over, or has made no progress for `give_up_after` seconds, and return its row."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown, transient=True) as progress:
        bar = progress.add_task("queued", total=None)
        progressed_at, last_seen, hinted = time.monotonic(), None, False
        while True:
            job = get_job(tenant_id, job_id)
            progress.update(bar, description=job.status, completed=job.done, total=job.total)
            if job.status in OVER:
                return job
            if last_seen != (job.status, job.done):
                last_seen, progressed_at = (job.status, job.done), time.monotonic()
            idle = time.monotonic() - progressed_at
            if job.status == JobStatus.QUEUED and idle >= min(HINT_AFTER, give_up_after) and not hinted:
                hinted = True
                typer.secho(NOT_TAKEN.format(idle), err=True, fg="yellow")
            if idle >= give_up_after:
                return job
            time.sleep(PAUSE)
