"""Messages of the queue payout-runs: the run of an hour, and a chunk of a run."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class PayoutRunKind(StrEnum):
    """What a run does; the value is also the name of its job."""

    ADVANCE = "advance-payouts"  # books what is due in advance, then pays what everybody is owed
    FINAL = "final-payouts"  # pays what everybody is owed

    @property
    def payout_kind(self) -> str:
        return self.value.removesuffix("-payouts")


class SlotMessage(BaseModel):
    """A tenant's run of an hour, sent by the schedule."""

    kind: PayoutRunKind
    slot: datetime


class RunTerms(BaseModel):
    """What a run pays, and who started it: a chunk's message has no caller, so they travel along.

    A run of payouts has a `kind`, and `user_ids` where it is for these employees only; the pay of a payroll run has a
    `payroll_run_id`.
    """

    model_config = ConfigDict(frozen=True)

    actor: str
    actor_ids: Sequence[UUID] = ()  # a message of the code before 2026-12 has none
    kind: PayoutRunKind | None = None
    user_ids: Sequence[UUID] | None = None
    payroll_run_id: UUID | None = None


class JobTerms(RunTerms):
    """The terms of a run with its job."""

    job_id: UUID


class ChunkMessage(JobTerms):
    """One chunk of a run."""

    chunk: int
