"""Payslip lines that no component made: arrears, adjustments, and negative pay carried over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from chalicelib.features.payroll.components.categories import CATEGORIES, Category
from chalicelib.features.payroll.payslips.evaluation import Pay
from chalicelib.features.payroll.payslips.inputs import NegativePay, OpenAdjustment
from chalicelib.features.payroll.runs.rules import OneOffKind


@dataclass(frozen=True, slots=True)
class OneOffLine:
    """A line that no component made. Only arrears may be negative; the category of others says which way they go."""

    kind: OneOffKind
    category: Category
    name: str
    amount: Decimal
    month: str | None = None
    code: str | None = None  # of arrears: the component's, or earned_salary
    adjustment_id: UUID | None = None
    payslip_id: UUID | None = None
    detail: dict[str, Any] | None = None


def make_signed_line(kind: OneOffKind, name: str, amount: Decimal, **more: Any) -> OneOffLine:
    """Make a line of a signed amount: an earning, or a deduction if it is negative."""
    return OneOffLine(kind, Category.EARNING if amount >= 0 else Category.DEDUCTION, name, abs(amount), **more)


def make_adjustment_lines(rows: Sequence[OpenAdjustment], *, currency: str) -> list[OneOffLine]:
    """Make the lines of an employee's open adjustments; those in other currencies stay open."""
    return [
        make_signed_line(
            OneOffKind.ADJUSTMENT,
            f"{row.kind.replace('_', ' ').capitalize()}: {row.reason}",
            row.amount,
            adjustment_id=row.id,
        )
        for row in rows
        if row.currency == currency
    ]


def make_carried_lines(rows: Sequence[NegativePay], *, currency: str) -> list[OneOffLine]:
    """Make the lines that deduct the negative pay of earlier payslips."""
    return [
        OneOffLine(
            OneOffKind.CARRIED_OVER,
            Category.DEDUCTION,
            f"Carried over from {row.month}",
            -row.net,
            payslip_id=row.id,
        )
        for row in rows
        if row.currency == currency
    ]


def add_lines(pay: Pay, lines: Sequence[OneOffLine]) -> Pay:
    """Return the pay with the lines added to its totals; the amounts of its components stay."""
    return replace(
        pay,
        totals=tuple(
            total + sum_category(lines, rule.category) for rule, total in zip(CATEGORIES, pay.totals, strict=True)
        ),
    )


def sum_category(lines: Sequence[OneOffLine], category: Category) -> Decimal:
    """Sum the lines of one category."""
    return sum((line.amount for line in lines if line.category is category), Decimal(0))
