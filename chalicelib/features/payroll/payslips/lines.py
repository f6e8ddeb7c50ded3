"""A payslip as people read it: every line with its formula, the values it used, and its amount.

A payslip stores numbers only, in the order of its run's snapshot, which has the names and formulas. So what is shown is
what was computed, even if components changed since.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import formulas
from chalicelib.features.payroll.components.categories import GROSS_CATEGORIES, Category
from chalicelib.features.payroll.components.rules import Component
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.rules import Anomaly, OneOffKind, describe_warning
from chalicelib.features.payroll.runs.run_rows import OneOffRow, PayslipRow
from chalicelib.features.payroll.runs.schemas import Payslip, PayslipEmployee, PayslipLine, PayslipTotals
from chalicelib.features.payroll.runs.snapshot import EARNED, GROSS, SALARY, CalculationSnapshot, list_names
from chalicelib.identity.scope import Scope
from chalicelib.kernel.money import rounded
from chalicelib.kernel.period import Period
from chalicelib.kernel.states import PayrollStatus

EarnedLines = Sequence[Mapping[str, Any]]  # the lines of a balance, as stored

_CATEGORY_ORDER = list(Category)
_ZERO = Decimal(0)

_EARNED = text("""
    select b.month, b.user_id, b.lines
    from unnest(cast(:months as text[]), cast(:user_ids as uuid[])) w (month, user_id)
    join balances b on b.tenant_id = :tenant_id and b.month = w.month and b.user_id = w.user_id""")


def load_earned_lines(scope: Scope, payslips: Sequence[PayslipRow]) -> dict[tuple[str, UUID], EarnedLines]:
    """Load how the salaries of payslips were earned: the lines of their balances, by month and employee."""
    regular = [row for row in payslips if row.run_kind == RunKind.REGULAR]
    rows = scope.session.execute(
        _EARNED,
        {
            "tenant_id": scope.tenant_id,
            "months": [row.month for row in regular],
            "user_ids": [row.user_id for row in regular],
        },
    )
    return {(row.month, row.user_id): row.lines for row in rows}


class PayslipExplainer:
    """Explains the payslips of one run by its snapshot."""

    def __init__(self, snapshot: CalculationSnapshot) -> None:
        self.snapshot = snapshot
        names = list_names(snapshot.components, snapshot.inputs)
        self._uses = [sorted(formulas.check(one.formula_text(), names=names).uses) for one in snapshot.components]

    def explain(
        self, row: PayslipRow, *, period: Period, one_offs: Sequence[OneOffRow], earned: EarnedLines | None
    ) -> Payslip:
        """Return a stored payslip with its lines, totals and inputs by name, and the amounts paid and carried over."""
        inputs = dict(zip(self.snapshot.inputs, row.inputs, strict=True))
        codes = [component.code for component in self.snapshot.components]
        known = {**inputs, **dict(zip(codes, row.amounts, strict=True))}
        known[GROSS] = _gross_of_formulas(self.snapshot, inputs, row.amounts, one_offs)
        warnings = row.warnings or []
        # an employee outside the period, who has only one-off lines, has no salary
        is_paid = self.snapshot.kind is RunKind.REGULAR and any(row.inputs)
        lines = [_salary_line(inputs, earned)] if is_paid else []
        for component, uses, amount in zip(self.snapshot.components, self._uses, row.amounts, strict=True):
            if amount is not None:
                own = (row.given or {}).get(component.code, {})
                values = {name: known[name] for name in uses}
                lines.append(_component_line(component, own, values, amount, warnings))
        lines += [_one_off_line(one) for one in one_offs]
        lines.sort(key=lambda line: _CATEGORY_ORDER.index(line.category))
        for number, line in enumerate(lines, start=1):
            line.number = number
        return Payslip(
            id=row.id,
            run_id=row.run_id,
            run_kind=RunKind(row.run_kind),
            run_title=row.run_title,
            run_status=PayrollStatus(row.run_status),
            month=row.month,
            start_date=period.start,
            end_date=period.end,
            user=PayslipEmployee(
                id=row.user_id, name=row.name, employee_no=row.employee_no, department_id=row.department_id
            ),
            currency=row.currency,
            lines=lines,
            totals=PayslipTotals.model_validate(row),
            pays=rounded(max(row.net, _ZERO), row.currency),
            carried=rounded(max(-row.net, _ZERO), row.currency),
            inputs=inputs,
            previous_net=row.previous_net,
            anomalies=[Anomaly(anomaly) for anomaly in row.anomalies or ()],
            calculated_at=row.calculated_at,
        )


def _gross_of_formulas(
    snapshot: CalculationSnapshot,
    inputs: Mapping[str, Decimal | None],
    amounts: Sequence[Decimal | None],
    one_offs: Sequence[OneOffRow],
) -> Decimal:
    """Return the gross that formulas used: without arrears, which are taxed by the period they are for."""
    earning = [
        amount or _ZERO
        for component, amount in zip(snapshot.components, amounts, strict=True)
        if component.category in GROSS_CATEGORIES
    ]
    paying = [one.amount for one in one_offs if one.kind == OneOffKind.ADJUSTMENT and one.category in GROSS_CATEGORIES]
    return sum([inputs[EARNED] or _ZERO, *earning, *paying], _ZERO)


def _make_line(kind: str, code: str | None, name: str, category: Category, amount: Decimal, **more: Any) -> PayslipLine:
    """Make a line; it is numbered once all lines are in order."""
    rest: dict[str, Any] = {"calculation": None, "formula": None, "inputs": {}, "warnings": [], "detail": None}
    return PayslipLine(number=0, kind=kind, code=code, name=name, category=category, amount=amount, **{**rest, **more})


def _salary_line(inputs: Mapping[str, Decimal | None], earned: EarnedLines | None) -> PayslipLine:
    return _make_line(
        "salary",
        EARNED,
        SALARY,
        Category.EARNING,
        inputs[EARNED] or _ZERO,
        formula=" + ".join(one["formula"] for one in earned or ()) or None,
        inputs={name: inputs[name] for name in ("base_salary", "working_days")},
        detail=earned,
    )


def _component_line(
    component: Component,
    override: Mapping[str, Any],
    values: Mapping[str, Any],
    amount: Decimal,
    warnings: Sequence[Mapping[str, Any]],
) -> PayslipLine:
    is_overridden = "amount" in override
    formula = component.formula_text()
    if "percent" in override:
        formula = f"{component.base} * {override['percent']}%"
    return _make_line(
        "component",
        component.code,
        component.name,
        component.category,
        amount,
        calculation=component.calculation.value,
        formula=None if is_overridden else formula,
        inputs={} if is_overridden else values,
        warnings=[
            describe_warning(component.code, one["code"], one["name"])
            for one in warnings
            if one["component"] == component.code
        ],
        detail=override or None,
    )


def _one_off_line(row: OneOffRow) -> PayslipLine:
    shown = ("month", "adjustment_id", "payslip_id", "gross", "deductions", "taxes")
    detail = {name: value for name in shown if (value := getattr(row, name)) is not None}
    name = row.name
    if row.code is not None:
        detail["component"], name = name, f"Arrears {row.month}: {name}"
    return _make_line(
        row.kind,
        row.code,
        name,
        Category(row.category),
        row.amount,
        detail=_to_json_values({**detail, **(row.detail or {})}),
    )


def _to_json_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with amounts and ids as text, for JSON."""
    return {name: str(value) if isinstance(value, Decimal | UUID) else value for name, value in values.items()}
