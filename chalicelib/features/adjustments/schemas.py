"""What comes in and goes out about adjustments."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.entry.paging import PageQuery
from chalicelib.features.adjustments.rules import AdjustmentKind
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import Input, MoneyOut, Output, SignedMoneyIn, Text


class NewAdjustment(Input):
    """An amount that a person is paid once (above 0), or that is taken off their pay once (below 0)."""

    user_id: UUID
    kind: Literal[AdjustmentKind.BONUS, AdjustmentKind.FINE, AdjustmentKind.OTHER]
    amount: SignedMoneyIn
    currency: KnownCurrency | None = Field(None, description="the tenant's unless said")
    reason: Text
    effective_date: Day


class AdjustmentQuery(PageQuery):
    """Which adjustments."""

    user_id: UUID | None = None
    kind: AdjustmentKind | None = None
    open: bool | None = Field(None, description="true: not paid yet; false: paid")


class Adjustment(Output):
    """One amount, and what became of it."""

    id: UUID
    user_id: UUID
    kind: AdjustmentKind
    amount: MoneyOut
    currency: str
    reason: str
    effective_date: date
    explanation: dict[str, Any] | None = Field(description="how the amount came about, where it was computed")
    source_type: str | None = Field(description="what it comes from; null where somebody set it")
    source_id: str | None
    payslip_id: UUID | None
    paid_at: datetime | None = Field(description="null while it is open")
    created_by: str
    created_at: datetime
