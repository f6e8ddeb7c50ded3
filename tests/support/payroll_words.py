"""How the things of a payroll story are said over the API, and how its payslips are read."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.model.facts import HALVES, DayEdit, HalfEdit, Salary
from tests.model.payslip import CATEGORIES, Component

Lines = dict[str, dict[str, Decimal]]


def lines_of(payslip: Mapping[str, Any]) -> Lines:
    """Return the lines of a payslip that was read, by category and what they are called."""
    found: Lines = {category: {} for category in CATEGORIES}
    for line in payslip["lines"]:
        name = {"salary": "salary", "component": line["code"]}.get(line["kind"], line["name"])
        assert name not in found[line["category"]], f"two lines {name}"
        found[line["category"]][name] = Decimal(line["amount"])
    return found


def calculation_of(component: Component) -> dict[str, Any]:
    """Return what a component comes to as the API takes it."""
    if component.amount is not None:
        return {"calculation": "fixed", "amount": str(component.amount)}
    if component.percent is not None:
        return {"calculation": "percentage", "percent": float(component.percent), "base": component.base}
    if component.formula is not None:
        return {"calculation": "formula", "formula": component.formula}
    return {"calculation": "dynamic"}


def salary_of(salary: Salary) -> dict[str, str]:
    """Return what somebody earns as the API takes it."""
    return {"amount": str(salary.amount), "frequency": salary.frequency, "effective_from": str(salary.effective_from)}


def edit_of(edit: DayEdit) -> dict[str, Any]:
    """Return what a person wrote over a day as the API takes it."""
    body: dict[str, Any] = {
        f"{name}_half": _half(written)
        for name, written in zip(HALVES, (edit.first, edit.second), strict=True)
        if written is not None
    }
    if edit.ot_hours is not None:
        body["ot_hours"] = float(edit.ot_hours)
    if edit.extra_days is not None:
        body["extra_days"] = float(edit.extra_days)
    return body


def _half(written: HalfEdit) -> dict[str, str]:
    nature = {"leave_nature": written.nature} if written.nature is not None else {}
    return {"status": written.status, **nature}
