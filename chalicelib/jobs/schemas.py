"""What callers see of a job."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from chalicelib.kernel.schema import Output
from chalicelib.kernel.states import JobStatus


class Progress(Output):
    """How far a job is, in employees; the total is null until it is known."""

    done: int
    total: int | None


class Job(Output):
    """One piece of long work."""

    id: UUID
    kind: str = Field(examples=["pay-register-sync"])
    status: JobStatus
    progress: Progress
    parameters: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class Started(Output):
    """Where to look for the outcome of work that was taken on. Small work may be done by the time you read this."""

    job_id: UUID
    status_url: str


def started(job_id: UUID) -> Started:
    """Return where a job can be followed."""
    return Started(job_id=job_id, status_url=f"/jobs/{job_id}")
