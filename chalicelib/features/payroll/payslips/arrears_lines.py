"""Arrears as payslip lines: one per component of a paid period whose amount differs today.

A line is signed and stands in its component's category, so that the totals of the payslip that pays it are what the
ledger posts. A component whose amount is unchanged has no line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib import formulas
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.payslips.adjustment_lines import OneOffLine
from chalicelib.features.payroll.runs.rules import OneOffKind
from chalicelib.features.payroll.runs.snapshot import EARNED, SALARY, CalculationSnapshot, list_names

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class PeriodAmounts:
    """An employee's period: one value per input and one per component, in the order of its snapshot."""

    inputs: Sequence[Decimal | None]
    components: Sequence[Decimal | None]  # None: does not apply


NO_PAYSLIP = PeriodAmounts((), ())


@dataclass(frozen=True, slots=True)
class _ComparedLine:
    """What is compared: the salary or a component; `inputs` are the positions of the inputs that explain it."""

    code: str
    name: str
    category: Category
    inputs: Sequence[int]


class ArrearsComparison:
    """Compares what was paid for a period with its recalculation, line by line."""

    def __init__(self, snapshot: CalculationSnapshot, *, month: str) -> None:
        self._month = month
        self._names = snapshot.inputs
        self._earned = snapshot.inputs.index(EARNED)
        names = list_names(snapshot.components, snapshot.inputs)
        self._compared_lines = [_ComparedLine(EARNED, SALARY, Category.EARNING, range(len(snapshot.inputs)))]
        for component in snapshot.components:
            uses = formulas.check(component.formula_text(), names=names).uses
            places = [place for place, name in enumerate(snapshot.inputs) if name in uses and name != EARNED]
            self._compared_lines.append(_ComparedLine(component.code, component.name, component.category, places))

    def lines(self, before: PeriodAmounts, arrears_paid: Mapping[str, Decimal], now: PeriodAmounts) -> list[OneOffLine]:
        """Return an employee's arrears lines.

        `before` is the period's payslip, `arrears_paid` the arrears of the period that were paid since, by code.
        """
        return [
            OneOffLine(
                OneOffKind.ARREARS,
                compared.category,
                compared.name,
                amount - paid,
                month=self._month,
                code=compared.code,
                detail={"paid": str(paid), "now": str(amount), "inputs": self._changes(compared, before, now)},
            )
            for compared, paid_then, amount in zip(
                self._compared_lines, self._amounts_of_lines(before), self._amounts_of_lines(now), strict=True
            )
            if (paid := paid_then + arrears_paid.get(compared.code, _ZERO)) != amount
        ]

    def _amounts_of_lines(self, amounts: PeriodAmounts) -> Iterator[Decimal]:
        """Yield the amount of the salary, then of each component; 0 where it does not apply."""
        yield (amounts.inputs[self._earned] if amounts.inputs else None) or _ZERO
        for at in range(len(self._compared_lines) - 1):
            yield (amounts.components[at] if amounts.components else None) or _ZERO

    def _changes(self, compared: _ComparedLine, before: PeriodAmounts, now: PeriodAmounts) -> dict[str, Any]:
        """Return the inputs of a line that differ today."""
        pairs = (
            (self._names[at], _get_or_none(before.inputs, at), _get_or_none(now.inputs, at)) for at in compared.inputs
        )
        return {name: {"was": _to_text(was), "now": _to_text(new)} for name, was, new in pairs if was != new}


def _get_or_none(values: Sequence[Decimal | None], place: int) -> Decimal | None:
    return values[place] if values else None


def _to_text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
