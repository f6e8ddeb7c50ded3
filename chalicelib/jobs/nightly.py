"""The nightly job: what is done once per tenant and night, found late if it was missed, and done again if it failed.

1. `send_due_tenants`  a schedule sends one message for each tenant whose night has come and is not done
2. `process`  the message claims the night: a job once per kind, tenant and day; a failed or stuck one is claimed again
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

from chalicelib.backing import queues
from chalicelib.backing.database import statement, transaction
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.chunks import load_chunks
from chalicelib.jobs.progress import CHUNK_EMPLOYEES, JobChunk
from chalicelib.kernel.errors import invalid

EVERY_ROUND = "rate(15 minutes)"  # how often the schedule of a nightly job looks for tenants that are due

_DUE_TENANTS = text(statement(__file__, "due_tenants"))
_MARK_DONE = text("""
    insert into nightly_runs as n (tenant_id, kind, done_on) values (:tenant_id, :kind, :as_of)
    on conflict (tenant_id, kind) do update set done_on = greatest(n.done_on, excluded.done_on)""")


@dataclass(frozen=True, slots=True)
class Night:
    """One run of a nightly job: its row in `jobs`, and the tenant's local day that it is for."""

    job_id: UUID
    as_of: date


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What was done to a chunk: how many rows changed, and the figures that the job's result sums up."""

    changed: int
    counts: Mapping[str, int | Decimal]


class NightMessage(BaseModel):
    """A message of a nightly job's queue: of the schedule (empty), of a night, or of one chunk of it."""

    job_id: UUID | None = None
    as_of: date | None = None
    chunk: int | None = None


class NightlyJob(ABC):
    """A job that is done once per tenant and night."""

    kind: ClassVar[str]  # names its schedule, its rows in `jobs` and `nightly_runs`, and `jobs run` of the operators
    queue: ClassVar[str]
    starts_at: ClassVar[time]  # of the tenant's local day
    days_back: ClassVar[int]  # 1: a night is for the day that is over, 0: for the day that begins

    @abstractmethod
    def begin(self, scope: Scope, night: Night) -> None:
        """Plan a night that is claimed, and do it or send its chunks."""

    @abstractmethod
    def explain_future(self, scope: Scope, as_of: date) -> str:
        """Say why a night cannot be asked for as of a later day than `latest_day`."""

    def latest_day(self, scope: Scope) -> date:
        """Return the latest day that a night can be for."""
        return scope.today() - timedelta(days=self.days_back)

    def send_due_tenants(self, now: datetime) -> int:
        """Send one message for each tenant whose night has come, and count them."""
        values = {"now": now, "kind": self.kind, "starts_at": self.starts_at, "days_back": self.days_back}
        with transaction(role="wagebook_sweeper") as session:
            tenant_ids = session.execute(_DUE_TENANTS, values).scalars().all()
        queues.send_many(self.queue, [{"tenant_id": str(tenant_id)} for tenant_id in tenant_ids])
        return len(tenant_ids)

    def request(self, scope: Scope, *, as_of: date | None) -> Night:
        """Ask for a night by hand: the latest, or as of an earlier day. Raises Invalid for a day to come."""
        latest = self.latest_day(scope)
        if as_of is not None and as_of > latest:
            raise invalid("/date", self.explain_future(scope, as_of))
        as_of = as_of or latest
        job_id = progress.create(scope, kind=self.kind, parameters={"as_of": as_of})
        scope.send(self.queue, [{"job_id": str(job_id), "as_of": as_of.isoformat()}])
        return Night(job_id, as_of)

    def start(self, scope: Scope, *, job_id: UUID | None = None, as_of: date | None = None) -> None:
        """Begin a night that was asked for, or the latest one if nobody has begun it.

        The schedule's message names no day: whenever it arrives, late or twice, the latest day counts, once.
        """
        if as_of is None:
            as_of = self.latest_day(scope)
            job_id = progress.claim(scope, kind=self.kind, key=f"{self.kind}:{as_of}", parameters={"as_of": as_of})
        if job_id is not None and not progress.is_over(scope, job_id):
            self.begin(scope, Night(job_id, as_of))


class ChunkedNightlyJob(NightlyJob):
    """A nightly job that is done in chunks of employees, whose messages travel in its own queue."""

    candidates: ClassVar[str]  # the chunk query: selects each employee whom a night may concern, as `user_id`

    @abstractmethod
    def candidate_values(self, night: Night) -> Mapping[str, Any]:
        """Return the chunk query's parameters, besides :tenant_id."""

    @abstractmethod
    def do_chunk(self, scope: Scope, night: Night, chunk: JobChunk) -> ChunkResult:
        """Do a night for the employees of a chunk; it may be done again after a crash."""

    @abstractmethod
    def summarize(self, scope: Scope, night: Night, counts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a job from what its chunks counted."""

    def begin(self, scope: Scope, night: Night) -> None:
        """Split a night into chunks: one is done at once, more are sent as messages, none finishes it."""
        chunks = load_chunks(scope, self.candidates, self.candidate_values(night), size=CHUNK_EMPLOYEES)
        progress.fan_out(
            scope,
            night.job_id,
            chunks=chunks,
            queue=self.queue,
            message={"as_of": night.as_of.isoformat()},
            do=lambda chunk: self._complete_chunk(scope, night, chunk),
            finish=lambda: self._finish(scope, night),
        )

    def process(self, scope: Scope, message: Mapping[str, Any]) -> None:
        """Begin a night, or do one chunk of it; what is done already is not done again."""
        parsed = NightMessage.model_validate(message)
        if parsed.chunk is None or parsed.job_id is None or parsed.as_of is None:
            self.start(scope, job_id=parsed.job_id, as_of=parsed.as_of)
        elif chunk := progress.find_chunk(scope, parsed.job_id, parsed.chunk):
            self._complete_chunk(scope, Night(parsed.job_id, parsed.as_of), chunk)

    def _complete_chunk(self, scope: Scope, night: Night, chunk: JobChunk) -> None:
        """Do a chunk and count it, and finish the job with its last."""
        result = self.do_chunk(scope, night, chunk)
        progress.add_counts(scope, night.job_id, result.counts)
        if progress.finish_chunk(scope, night.job_id, number=chunk.number, changed=result.changed):
            self._finish(scope, night)

    def _finish(self, scope: Scope, night: Night) -> None:
        """Mark the tenant's night as done, and the job as succeeded, with its result."""
        mark_done(scope, kind=self.kind, as_of=night.as_of)
        counts = progress.load_counts(scope, night.job_id)
        progress.finish(scope, night.job_id, result=self.summarize(scope, night, counts))


NIGHTLY_JOBS: dict[str, NightlyJob] = {}
J = TypeVar("J", bound=NightlyJob)


def register(job: J) -> J:
    """Make a nightly job known by its kind: to the operators' `jobs run`, and to the alarm for nights that stay due."""
    NIGHTLY_JOBS[job.kind] = job
    return job


def mark_done(scope: Scope, *, kind: str, as_of: date) -> None:
    """Note that a tenant's nightly job is done for a day; an earlier day does not undo a later one."""
    scope.session.execute(_MARK_DONE, {"tenant_id": scope.tenant_id, "kind": kind, "as_of": as_of})
