"""Rows of payroll runs and payslips as dataclasses, which the queries return or explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
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


@dataclass(frozen=True, slots=True)
class PayslipHeadRow:
    """A payslip as lists show it, with its run and its employee."""

    id: UUID
    run_id: UUID
    user_id: UUID
    currency: str
    gross: Decimal
    deductions: Decimal
    taxes: Decimal
    benefits: Decimal
    net: Decimal
    previous_net: Decimal | None
    calculated_at: datetime
    pays: Decimal
    difference: Decimal | None
    anomalies: list[str] | None
    run_kind: str
    run_status: str
    month: str
    name: str
    employee_no: str | None
    department_id: UUID | None


@dataclass(frozen=True, slots=True)
class PayslipRow:
    """A row of payslips, with its run, the run's plan, and its employee."""

    id: UUID
    run_id: UUID
    user_id: UUID
    currency: str
    inputs: list[Decimal | None]
    amounts: list[Decimal | None]
    given: Mapping[str, Any] | None
    warnings: Sequence[Mapping[str, Any]] | None
    anomalies: list[str] | None
    gross: Decimal
    deductions: Decimal
    taxes: Decimal
    benefits: Decimal
    net: Decimal
    previous_net: Decimal | None
    calculated_at: datetime
    plan: Mapping[str, Any]
    run_kind: str
    run_title: str | None
    run_status: str
    month: str
    name: str
    employee_no: str | None
    department_id: UUID | None


@dataclass(frozen=True, slots=True)
class OneOffRow:
    """A row of payslip_one_offs, without its number and its parts."""

    run_id: UUID
    user_id: UUID
    kind: str
    category: str
    name: str
    amount: Decimal
    month: str | None
    code: str | None
    adjustment_id: UUID | None
    payslip_id: UUID | None
    gross: Decimal | None
    deductions: Decimal | None
    taxes: Decimal | None
    detail: Mapping[str, Any] | None
