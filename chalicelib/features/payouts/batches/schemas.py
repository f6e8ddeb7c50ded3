"""What comes in and goes out about bank files."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chalicelib.entry.rows import RowError
from chalicelib.features.payouts.batches.settings_schemas import Format
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import Input, MoneyOut, Output
from chalicelib.kernel.states import PayoutStatus


class NewBatch(Input):
    """Which queued payouts to put in a file, and when the bank is to pay."""

    currency: KnownCurrency | None = Field(None, description="only payouts in this one")
    execution_on: Day | None = Field(None, description="today in the tenant's time zone unless said")


class Total(Output):
    """What the file says of one currency."""

    currency: str
    payouts: int
    amount: MoneyOut


class Batch(Output):
    """A bank file and what became of its payouts."""

    id: UUID
    number: int
    format: Format
    status: Literal["open", "closed"] = Field(description="closed: the bank has answered for every payout")
    payouts: int
    totals: list[Total]
    by_status: dict[PayoutStatus, int] = Field(description="how many of its payouts are what by now")
    execution_on: date
    file_name: str
    file_sha256: str
    created_by: str
    created_at: datetime
    handed_over_at: datetime | None = Field(description="when somebody first asked for the file")
    closed_at: datetime | None


class ChangedDestination(Output):
    """A payout of a file that goes to bank details which replaced others lately."""

    payout_id: UUID
    user_id: UUID
    holder: str | None
    masked: str
    changed_at: datetime


class WholeBatch(Batch):
    """A bank file with what to look at before it goes to the bank."""

    changed_destinations: list[ChangedDestination] = Field(
        description="payouts to bank details that replaced others within 30 days before the file, the latest 200"
    )


class LeftOut(Output):
    """Payouts that wait for a file and could not go into this one."""

    payouts: int
    reason: str


class CreatedBatch(Batch):
    """A batch as it was made, and what still waits for a file."""

    left_out: list[LeftOut]
    waiting: int = Field(description="payouts still queued for a bank file, in all currencies")


class FileLink(Output):
    """Where to get the file, for five minutes. Compare its SHA-256 before it goes to the bank."""

    url: str
    expires_at: datetime
    name: str
    sha256: str


class AnswerItem(Output):
    """What became of one line of the bank's answer; `line` is null where it stands for all that were not named."""

    line: int | None = Field(description="of the file, or the place of a transfer or an entry in the report")
    reference: str
    result: Literal["ok", "unchanged", "review", "conflict", "forbidden", "not_found"] = Field(
        description="review: whether it was paid is not known; nothing was released, and a person has to find out."
        " forbidden: it would give your own money back"
    )
    status: PayoutStatus | None = Field(description="what the payout is now")
    detail: str | None
    payout_id: UUID | None
    batch_id: UUID | None


class AnsweredBatch(Output):
    """A batch that a report is about."""

    id: UUID
    number: int
    open: int = Field(description="payouts of this batch that the bank has not answered for yet")


class AnswerReport(Output):
    """What became of each line of the bank's answer, how many of each kind, and lines that could not be read."""

    items: list[AnswerItem]
    counts: dict[str, int]
    unmatched: int = Field(description="lines, entries and messages that are not about payouts of yours")
    errors: list[RowError]
    batches: list[AnsweredBatch]
    open: int = Field(description="payouts of these batches that the bank has not answered for yet")
