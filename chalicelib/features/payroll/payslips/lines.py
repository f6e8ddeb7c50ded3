"""A payslip as people read it: every line with its formula, the values it took, and its amount.

A payslip keeps numbers only, in the order of its run's plan; the words are the plan's. So what is shown is what was
computed, whatever became of the components since.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import formulas
from chalicelib.backing.database import Record
from chalicelib.features.payroll.components.categories import GROSS_CATEGORIES, TOTALS, Category
from chalicelib.features.payroll.components.rules import Component
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.rules import OneOffKind, worded
from chalicelib.features.payroll.runs.snapshot import EARNED, GROSS, SALARY, CalculationSnapshot, names_of
from chalicelib.identity.scope import Scope
from chalicelib.kernel.money import rounded

_ORDER = list(Category)
_ZERO = Decimal(0)

_EARNED = text("""
    select b.month, b.user_id, b.lines
    from unnest(cast(:months as text[]), cast(:user_ids as uuid[])) w (month, user_id)
    join balances b on b.tenant_id = :tenant_id and b.month = w.month and b.user_id = w.user_id""")


def earned_lines(scope: Scope, found: Sequence[Record]) -> dict[tuple[str, UUID], list[Record]]:
    """Read how the salaries of these payslips were earned: the lines of their balances."""
    regular = [row for row in found if row["run_kind"] == RunKind.REGULAR]
    rows = scope.session.execute(
        _EARNED,
        {
            "tenant_id": scope.tenant_id,
            "months": [row["month"] for row in regular],
            "user_ids": [row["user_id"] for row in regular],
        },
    )
    return {(row.month, row.user_id): row.lines for row in rows}


class Explained:
    """A run's plan, made ready to explain its payslips."""

    def __init__(self, plan: CalculationSnapshot) -> None:
        self.plan = plan
        names = names_of(plan.components, plan.inputs)
        self._uses = [sorted(formulas.check(one.said(), names=names).uses) for one in plan.components]

    def of(self, row: Record, *, one_offs: Sequence[Record], earned: Sequence[Record] | None) -> dict[str, Any]:
        """Return a stored payslip's lines, totals and inputs by name, and what is paid and carried."""
        inputs = dict(zip(self.plan.inputs, row["inputs"], strict=True))
        codes = [component.code for component in self.plan.components]
        known = {**inputs, **dict(zip(codes, row["amounts"], strict=True))}
        known[GROSS] = _gross(self.plan, inputs, row["amounts"], one_offs)
        warnings = row["warnings"] or []
        # somebody who is not in the period, and is owed or owes something all the same, has no salary in it
        is_paid = self.plan.kind is RunKind.REGULAR and any(row["inputs"])
        lines = [_salary(inputs, earned)] if is_paid else []
        for component, uses, amount in zip(self.plan.components, self._uses, row["amounts"], strict=True):
            if amount is not None:
                own = (row["given"] or {}).get(component.code, {})
                values = {name: known[name] for name in uses}
                lines.append(_component(component, own, values, amount, warnings))
        lines += [_one_off(one) for one in one_offs]
        lines.sort(key=lambda line: _ORDER.index(line["category"]))
        for number, line in enumerate(lines, start=1):
            line["number"] = number
        return {
            "lines": lines,
            "totals": {name: row[name] for name in (*TOTALS, "net")},
            "inputs": inputs,
            "pays": rounded(max(row["net"], _ZERO), row["currency"]),
            "carried": rounded(max(-row["net"], _ZERO), row["currency"]),
        }


def _gross(
    plan: CalculationSnapshot,
    inputs: Mapping[str, Decimal | None],
    amounts: Sequence[Decimal | None],
    one_offs: Sequence[Record],
) -> Decimal:
    """Return the gross that formulas took: without arrears, which the period they are for has taxed."""
    earning = [
        amount or _ZERO
        for component, amount in zip(plan.components, amounts, strict=True)
        if component.category in GROSS_CATEGORIES
    ]
    paying = [
        one["amount"]
        for one in one_offs
        if one["kind"] == OneOffKind.ADJUSTMENT and one["category"] in GROSS_CATEGORIES
    ]
    return sum([inputs[EARNED] or _ZERO, *earning, *paying], _ZERO)


def _line(kind: str, code: str | None, name: str, category: Category, amount: Decimal, **more: Any) -> Record:
    rest: Record = {"calculation": None, "formula": None, "inputs": {}, "warnings": [], "detail": None}
    return {"kind": kind, "code": code, "name": name, "category": category, "amount": amount, **rest, **more}


def _salary(inputs: Mapping[str, Decimal | None], earned: Sequence[Record] | None) -> Record:
    return _line(
        "salary",
        EARNED,
        SALARY,
        Category.EARNING,
        inputs[EARNED] or _ZERO,
        formula=" + ".join(one["formula"] for one in earned or ()) or None,
        inputs={name: inputs[name] for name in ("base_salary", "working_days")},
        detail=earned,
    )


def _component(
    component: Component, own: Mapping[str, Any], values: Mapping[str, Any], amount: Decimal, warnings: Sequence[Record]
) -> Record:
    is_given = "amount" in own
    said = component.said()
    if "percent" in own:
        said = f"{component.base} * {own['percent']}%"
    return _line(
        "component",
        component.code,
        component.name,
        component.category,
        amount,
        calculation=component.calculation.value,
        formula=None if is_given else said,
        inputs={} if is_given else values,
        warnings=[
            worded(component.code, one["code"], one["name"]) for one in warnings if one["component"] == component.code
        ],
        detail=own or None,
    )


def _one_off(one: Record) -> Record:
    shown = ("month", "adjustment_id", "payslip_id", "gross", "deductions", "taxes")
    detail = {name: one[name] for name in shown if one[name] is not None}
    name = one["name"]
    if one["code"] is not None:
        detail["component"], name = name, f"Arrears {one['month']}: {name}"
    return _line(
        one["kind"],
        one["code"],
        name,
        Category(one["category"]),
        one["amount"],
        detail=_json_able({**detail, **(one["detail"] or {})}),
    )


def _json_able(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return amounts and ids as text, as they cross JSON."""
    return {name: str(value) if isinstance(value, Decimal | UUID) else value for name, value in values.items()}
