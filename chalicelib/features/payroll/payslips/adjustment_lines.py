"""Lines of a payslip that no component of its run made: arrears, adjustments, and what a net below 0 has left."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from chalicelib.features.payroll.components.categories import CATEGORIES, Category
from chalicelib.features.payroll.payslips.evaluation import Pay
from chalicelib.features.payroll.runs.rules import OneOffKind


@dataclass(frozen=True, slots=True)
class OneOff:
    """One such line. Only arrears may be below 0; of other lines the category alone says which way they go."""

    kind: OneOffKind
    category: Category
    name: str
    amount: Decimal
    month: str | None = None
    code: str | None = None  # of arrears: the component's, or earned_salary
    adjustment_id: UUID | None = None
    payslip_id: UUID | None = None
    detail: dict[str, Any] | None = None


def signed(kind: OneOffKind, name: str, amount: Decimal, **more: Any) -> OneOff:
    """Make a line of an amount that is above 0 for the person or below 0 against them."""
    return OneOff(kind, Category.EARNING if amount >= 0 else Category.DEDUCTION, name, abs(amount), **more)


def of_adjustments(rows: Sequence[Row[Any]], *, currency: str) -> list[OneOff]:
    """Make the lines of a person's open adjustments; those in other currencies stay open."""
    return [
        signed(
            OneOffKind.ADJUSTMENT,
            f"{row.kind.replace('_', ' ').capitalize()}: {row.reason}",
            row.amount,
            adjustment_id=row.id,
        )
        for row in rows
        if row.currency == currency
    ]


def of_carried(rows: Sequence[Row[Any]], *, currency: str) -> list[OneOff]:
    """Make the lines that deduct what earlier payslips could not."""
    return [
        OneOff(
            OneOffKind.CARRIED_OVER,
            Category.DEDUCTION,
            f"Carried over from {row.month}",
            -row.net,
            payslip_id=row.id,
        )
        for row in rows
        if row.currency == currency
    ]


def added_to(pay: Pay, lines: Sequence[OneOff]) -> Pay:
    """Return a pay with the lines in its sums; the amounts of its components stay."""
    return replace(
        pay,
        totals=tuple(total + sum_of(lines, rule.category) for rule, total in zip(CATEGORIES, pay.totals, strict=True)),
    )


def sum_of(lines: Sequence[OneOff], category: Category) -> Decimal:
    """Sum the lines of one category."""
    return sum((line.amount for line in lines if line.category is category), Decimal(0))
