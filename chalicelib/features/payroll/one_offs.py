"""Lines of a payslip that no component made: adjustments, and what a net below 0 has left to be deducted."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from chalicelib.features.payroll.rules import OneOffKind
from chalicelib.features.payroll.type_rules import Category


@dataclass(frozen=True, slots=True)
class OneOff:
    """One such line; `amount` is never below 0, as the category says which way it goes."""

    kind: OneOffKind
    category: Category
    name: str
    amount: Decimal
    month: str | None = None
    adjustment_id: UUID | None = None
    payslip_id: UUID | None = None
    gross: Decimal | None = None  # of arrears: the period's differences to what was paid
    deductions: Decimal | None = None
    taxes: Decimal | None = None
    detail: dict[str, Any] | None = None


def signed(kind: OneOffKind, name: str, amount: Decimal, **more: Any) -> OneOff:
    """This will make a line of an amount that is above 0 for the person or below 0 against them."""
    return OneOff(kind, Category.EARNING if amount >= 0 else Category.DEDUCTION, name, abs(amount), **more)


def of_adjustments(rows: Sequence[Row[Any]], *, currency: str) -> list[OneOff]:
    """This will make the lines of a person's open adjustments; those in other currencies stay open."""
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
    """This will make the lines that deduct what earlier payslips could not."""
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


def sum_of(lines: Sequence[OneOff], category: Category) -> Decimal:
    """This will sum the lines of one category."""
    return sum((line.amount for line in lines if line.category is category), Decimal(0))
