"""Waiting for a job that somebody else does, with its progress."""

import time
from typing import Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.kernel.states import JobStatus

NOBODY = "Nobody has taken the job from its queue for {:.0f} s: is `make run` running? With --inline it is done here."
HINT_AFTER = 5.0  # seconds
PAUSE = 0.15
OVER = (JobStatus.SUCCEEDED, JobStatus.FAILED)

_JOB = text("""
    select id, kind, status, done, total, parameters, result, error, created_at, finished_at
    from jobs where tenant_id = :tenant_id and id = :id""")


def get_job(tenant_id: UUID, job_id: UUID) -> dict[str, Any]:
    """Read a job's row."""
    with transaction(tenant_id=tenant_id) as session:
        return dict(session.execute(_JOB, {"tenant_id": tenant_id, "id": job_id}).mappings().one())


def follow(tenant_id: UUID, job_id: UUID, *, patience: float, shown: bool) -> dict[str, Any]:
    """Wait until a job is over, or has not moved for `patience` seconds, and give its row as it is then."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown, transient=True) as progress:
        bar = progress.add_task("queued", total=None)
        moved_at, seen, hinted = time.monotonic(), None, False
        while True:
            job = get_job(tenant_id, job_id)
            progress.update(bar, description=job["status"], completed=job["done"], total=job["total"])
            if job["status"] in OVER:
                return job
            if seen != (job["status"], job["done"]):
                seen, moved_at = (job["status"], job["done"]), time.monotonic()
            still = time.monotonic() - moved_at
            if job["status"] == JobStatus.QUEUED and still >= min(HINT_AFTER, patience) and not hinted:
                hinted = True
                typer.secho(NOBODY.format(still), err=True, fg="yellow")
            if still >= patience:
                return job
            time.sleep(PAUSE)
