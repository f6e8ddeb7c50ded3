"""The nightly job: done once per tenant and night, found late if it was missed, and done again if it failed.

1. `send_due_tenants`  a schedule sends one message for each tenant that is due
2. `process`  the message claims the run: a job once per kind, tenant and day; a failed or stuck one is claimed again
3. `begin`  splits it into chunks of employees; one chunk is done at once, more are sent as messages, each a transaction
4. `process`  does a chunk, unless it is done already, and counts what it did
5. the last chunk finishes the job, and marks the tenant's night as done

A feature says what is its own: its hour, whom it concerns (the chunk query), what it does to a chunk, what it reports.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.chunks import load_chunks
from chalicelib.jobs.due_tenants import send_to_due_tenants
from chalicelib.jobs.progress import CHUNK_EMPLOYEES, JobChunk
from chalicelib.kernel.errors import invalid

EVERY_ROUND = "rate(15 minutes)"  # how often the schedule of a nightly job selects the tenants that are due

_DUE_TENANTS = text(statement(__file__, "due_tenants"))
_MARK_DONE = text("""
    insert into nightly_runs as n (tenant_id, kind, done_on) values (:tenant_id, :kind, :as_of)
    on conflict (tenant_id, kind) do update set done_on = greatest(n.done_on, excluded.done_on)""")


@dataclass(frozen=True, slots=True)
class NightlyRun:
    """One run of a nightly job: its row in `jobs`, and the tenant's local day that it is for."""

    job_id: UUID
    as_of: date


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What was done to a chunk: how many rows changed, and the figures that the job's result sums up."""

    changed: int
    counts: Mapping[str, int | Decimal]


class NightlyMessage(BaseModel):
    """A message of a nightly job's queue: of the schedule (empty), of a run, or of one chunk of it."""

    job_id: UUID | None = None
    as_of: date | None = None
    chunk: int | None = None


class NightlyJob(ABC):
    """A job that is done once per tenant and night."""

    kind: ClassVar[str]  # names its schedule, its rows in `jobs` and `nightly_runs`, and `jobs run` of the operators
    queue: ClassVar[str]
    starts_at: ClassVar[time]  # of the tenant's local day
    days_back: ClassVar[int]  # 1: a run is for the day that is over, 0: for the day that begins

    @abstractmethod
    def begin(self, scope: Scope, run: NightlyRun) -> None:
        """Plan a run that is claimed, and do it or send its chunks."""

    @abstractmethod
    def explain_future(self, scope: Scope, as_of: date) -> str:
        """Explain why a run as of a later day than `latest_day` cannot be requested."""

    def latest_day(self, scope: Scope) -> date:
        """Return the latest day that a run can be for."""
        return scope.today() - timedelta(days=self.days_back)

    def send_due_tenants(self, now: datetime) -> int:
        """Send one message for each tenant that is due, and count them."""
        values = {"now": now, "kind": self.kind, "starts_at": self.starts_at, "days_back": self.days_back}
        return send_to_due_tenants(_DUE_TENANTS, values, queue=self.queue)

    def request(self, scope: Scope, *, as_of: date | None) -> NightlyRun:
        """Request a run by hand: the latest, or as of an earlier day. Raises Invalid for a future day."""
        latest = self.latest_day(scope)
        if as_of is not None and as_of > latest:
            raise invalid("/date", self.explain_future(scope, as_of))
        as_of = as_of or latest
        job_id = progress.create(scope, kind=self.kind, parameters={"as_of": as_of})
        scope.send(self.queue, [{"job_id": str(job_id), "as_of": as_of.isoformat()}])
        return NightlyRun(job_id, as_of)

    def start(self, scope: Scope, *, job_id: UUID | None = None, as_of: date | None = None) -> None:
        """Begin a run that was requested, or the latest one unless it is done or under way.

        The schedule's message names no day: whenever it arrives, late or twice, the latest day counts, once.
        """
        if as_of is None:
            as_of = self.latest_day(scope)
            job_id = progress.claim(scope, kind=self.kind, key=f"{self.kind}:{as_of}", parameters={"as_of": as_of})
        if job_id is not None and not progress.is_over(scope, job_id):
            self.begin(scope, NightlyRun(job_id, as_of))


class ChunkedNightlyJob(NightlyJob):
    """A nightly job that is done in chunks of employees, whose messages travel in its own queue."""

    candidates: ClassVar[str]  # the chunk query: selects each employee whom a run may concern, as `user_id`

    @abstractmethod
    def candidate_values(self, run: NightlyRun) -> Mapping[str, Any]:
        """Return the chunk query's parameters, besides :tenant_id."""

    @abstractmethod
    def do_chunk(self, scope: Scope, run: NightlyRun, chunk: JobChunk) -> ChunkResult:
        """Do the job for the employees of a chunk; it may be done again after a crash."""

    @abstractmethod
    def summarize(self, scope: Scope, run: NightlyRun, counts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a job from what its chunks counted."""

    def begin(self, scope: Scope, run: NightlyRun) -> None:
        """Split a run into chunks: one is done at once, more are sent as messages, none finishes it."""
        chunks = load_chunks(scope, self.candidates, self.candidate_values(run), size=CHUNK_EMPLOYEES)
        progress.fan_out(
            scope,
            run.job_id,
            chunks=chunks,
            queue=self.queue,
            message={"as_of": run.as_of.isoformat()},
            do=lambda chunk: self._complete_chunk(scope, run, chunk),
            finish=lambda: self._finish(scope, run),
        )

    def process(self, scope: Scope, message: Mapping[str, Any]) -> None:
        """Begin a run, or do one chunk of it; what is done already is not done again."""
        parsed = NightlyMessage.model_validate(message)
        if parsed.chunk is None or parsed.job_id is None or parsed.as_of is None:
            self.start(scope, job_id=parsed.job_id, as_of=parsed.as_of)
        elif chunk := progress.find_chunk(scope, parsed.job_id, parsed.chunk):
            self._complete_chunk(scope, NightlyRun(parsed.job_id, parsed.as_of), chunk)

    def _complete_chunk(self, scope: Scope, run: NightlyRun, chunk: JobChunk) -> None:
        """Do a chunk and count it, and finish the job with its last."""
        result = self.do_chunk(scope, run, chunk)
        progress.add_counts(scope, run.job_id, result.counts)
        if progress.finish_chunk(scope, run.job_id, number=chunk.number, changed=result.changed):
            self._finish(scope, run)

    def _finish(self, scope: Scope, run: NightlyRun) -> None:
        """Mark the tenant's night as done, and the job as succeeded with its result."""
        mark_done(scope, kind=self.kind, as_of=run.as_of)
        counts = progress.load_counts(scope, run.job_id)
        progress.finish(scope, run.job_id, result=self.summarize(scope, run, counts))


NIGHTLY_JOBS: dict[str, NightlyJob] = {}
J = TypeVar("J", bound=NightlyJob)


def register(job: J) -> J:
    """Register a nightly job by its kind: for the operators' `jobs run`, and for the alarm on nights that stay due."""
    NIGHTLY_JOBS[job.kind] = job
    return job


def mark_done(scope: Scope, *, kind: str, as_of: date) -> None:
    """Write that a tenant's nightly job is done for a day; an earlier day does not undo a later one."""
    scope.session.execute(_MARK_DONE, {"tenant_id": scope.tenant_id, "kind": kind, "as_of": as_of})
