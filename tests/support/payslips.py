"""Runs and payslips put straight into the database, for tests of what is done with them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.components.rules import Calculation, Component
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.snapshot import INPUTS, CalculationSnapshot
from tests.support.cast import Cast
from tests.support.people import row

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
HOUSE_RENT = Component(
    NOBODY,
    "house_rent",
    "House rent",
    Category.EARNING,
    Calculation.PERCENTAGE,
    1,
    True,
    percent=Decimal(40),
    base="earned_salary",
)
FUND = Component(
    NOBODY,
    "fund",
    "Provident fund",
    Category.DEDUCTION,
    Calculation.FIXED,
    1,
    True,
    amount=Decimal(1000),
    currency="BDT",
)
TAX = Component(
    NOBODY,
    "income_tax",
    "Income tax",
    Category.TAX,
    Calculation.FORMULA,
    1,
    True,
    formula="BRACKET(gross, 0, 0%, 15000, 10%)",
)
INSURANCE = Component(
    NOBODY,
    "health",
    "Health insurance",
    Category.BENEFIT,
    Calculation.FIXED,
    1,
    True,
    amount=Decimal(1200),
    currency="BDT",
)
COMPONENTS = (HOUSE_RENT, FUND, TAX, INSURANCE)
DAYS = {
    "base_salary": 15000,
    "working_days": 21,
    "present_days": 18,
    "paid_leave_days": 1,
    "lop_days": 0,
    "absent_days": 2,
    "ot_hours": "2.5",
}
_DONE = datetime(2026, 2, 1, 4, 30, 15, 123456, tzinfo=UTC)


def run(
    cast: Cast,
    *,
    status: str = "approved",
    components: Sequence[Component] = COMPONENTS,
    posted: bool = True,
    month: str = "2026-01",
    **values: Any,
) -> UUID:
    """Make the regular run of a month as it is once it is calculated, or approved and booked."""
    plan = CalculationSnapshot(RunKind.REGULAR, {}, INPUTS, tuple(components))
    is_fixed = status in ("approved", "paid")
    made: UUID = row(
        cast,
        "payroll_runs",
        {
            "month": month,
            "kind": "regular",
            "status": status,
            "plan": json.dumps(plan.to_json(), default=str),
            "calculated_at": _DONE,
            "created_by": "hr",
            "created_at": _DONE,
            "approved_at": _DONE if is_fixed else None,
            "posted_at": _DONE if is_fixed and posted else None,
            "paid_at": _DONE if status == "paid" else None,
            **values,
        },
    )
    return made


def payslip(
    cast: Cast,
    run_id: UUID,
    user_id: UUID,
    *,
    earned: str = "13571.43",
    amounts: Sequence[str | None] = ("5428.57", "1000.00", "400.00", "1200.00"),
    totals: Sequence[str] = ("19000.00", "1000.00", "400.00", "1200.00"),
    inputs: Mapping[str, Any] = DAYS,
    **values: Any,
) -> UUID:
    """Make a payslip of that run: gross, deductions, taxes and benefits are what `totals` says."""
    gross, deductions, taxes, benefits = map(Decimal, totals)
    known = {"earned_salary": earned, **inputs}
    made: UUID = row(
        cast,
        "payslips",
        {
            "run_id": run_id,
            "user_id": user_id,
            "currency": "BDT",
            "inputs": [None if name not in known else Decimal(known[name]) for name in INPUTS],
            "amounts": [None if amount is None else Decimal(amount) for amount in amounts],
            "gross": gross,
            "deductions": deductions,
            "taxes": taxes,
            "benefits": benefits,
            "net": gross - deductions - taxes,
            "calculated_at": _DONE,
            **values,
        },
    )
    return made


def one_off(cast: Cast, run_id: UUID, user_id: UUID, **values: Any) -> None:
    """Add a line to a payslip that no component made; the payslip's totals are the test's to say."""
    row(cast, "payslip_one_offs", {"run_id": run_id, "user_id": user_id, **values}, returning="number")
