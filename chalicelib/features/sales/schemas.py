"""What comes in and goes out about sales."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from chalicelib.entry.paging import PageQuery
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.kernel.moments import Moment
from chalicelib.kernel.schema import Input, LongText, MoneyOut, Output, PositiveMoneyIn, Text
from chalicelib.kernel.states import SaleStatus

MOST_DECISIONS = 10_000


class NewSale(Input):
    """One sale and what its person earns from it if it is approved."""

    user_id: UUID
    earning: PositiveMoneyIn
    currency: KnownCurrency | None = Field(None, description="the tenant's unless said")
    brand: Text | None = None
    external_id: Text | None = Field(None, description="your own id; a sale sent twice under one id is one sale")
    occurred_at: Moment | None = Field(None, description="now unless said")


class SaleQuery(PageQuery):
    """Which sales."""

    status: SaleStatus | None = None
    user_id: UUID | None = None


class Sale(Output):
    """One sale; `advance` is what was paid of it in advance, or is on its way."""

    id: UUID
    user_id: UUID
    brand: str | None
    external_id: str | None
    earning: MoneyOut
    currency: str
    advance: MoneyOut
    status: SaleStatus
    reason: str | None
    decided_at: datetime | None
    occurred_at: datetime
    created_at: datetime


class SaleDecision(Input):
    """What to decide about one sale."""

    sale_id: UUID
    status: Literal[SaleStatus.APPROVED, SaleStatus.DECLINED]
    reason: LongText | None = None
    correction: bool = Field(False, description="replace an earlier decision; needs a reason")

    @model_validator(mode="after")
    def _says_why(self) -> "SaleDecision":
        if self.correction and not self.reason:
            raise ValueError("a correction needs a reason")
        return self


class Reconciliation(Input):
    """Up to 10,000 decisions; each is judged by itself."""

    items: Annotated[list[SaleDecision], Field(min_length=1, max_length=MOST_DECISIONS)]


class DecisionResult(Output):
    """What became of one decision, at the same place as in the request."""

    sale_id: UUID
    result: Literal["ok", "unchanged", "conflict", "forbidden", "not_found"]
    detail: str | None


class ReconciliationReport(Output):
    """What became of each decision, and how many of each kind there were."""

    items: list[DecisionResult]
    counts: dict[str, int]
