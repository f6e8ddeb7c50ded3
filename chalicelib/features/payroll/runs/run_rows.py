"""Rows of payroll runs as dataclasses, which the queries return."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot


@dataclass(frozen=True, slots=True)
class PayrollRunRow:
    """A row of payroll_runs, whose table describes the columns."""

    tenant_id: UUID
    id: UUID
    month: str
    kind: str
    title: str | None
    status: str
    user_ids: list[UUID] | None
    payment_type_ids: list[UUID] | None
    calculation: int
    job_id: UUID | None
    plan: Mapping[str, Any] | None
    calculated_since: datetime | None
    calculated_at: datetime | None
    summary: Mapping[str, Any] | None
    created_by: str
    created_by_ids: list[UUID]
    created_at: datetime
    calculated_by: str | None
    calculated_by_user_id: UUID | None
    calculated_by_ids: list[UUID]
    approved_by: str | None
    approved_by_ids: list[UUID]
    four_eyes: bool | None
    approved_at: datetime | None
    posted_at: datetime | None
    paid_by: str | None
    paid_by_ids: list[UUID]
    paid_at: datetime | None
    cancelled_by: str | None
    cancelled_at: datetime | None
    cancel_reason: str | None

    def parse_snapshot(self) -> CalculationSnapshot:
        """Parse the snapshot that the run was calculated with. Raises LookupError if it never was."""
        if self.plan is None:
            raise LookupError(f"payroll run {self.id} was never calculated")
        return CalculationSnapshot.from_json(self.plan)
