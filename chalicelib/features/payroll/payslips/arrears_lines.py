"""Arrears as lines of a payslip: one for each component of a paid period whose amount is another by now.

A line is signed and stands in its component's own category, so that gross, deductions, taxes and benefits of the
payslip that pays it are what the ledger books. A component whose amount stayed has no line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib import formulas
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.payslips.adjustment_lines import OneOff
from chalicelib.features.payroll.runs.rules import OneOffKind
from chalicelib.features.payroll.runs.snapshot import EARNED, SALARY, CalculationSnapshot, names_of

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a period comes to for a person: one value per input and one per component, in the order of its plan."""

    inputs: Sequence[Decimal | None]
    components: Sequence[Decimal | None]  # None: it is not for this person


NOTHING = Amounts((), ())  # of somebody without a payslip


@dataclass(frozen=True, slots=True)
class _Part:
    """What may differ: the salary or a component; `inputs` are the places of the inputs that explain it."""

    code: str
    name: str
    category: Category
    inputs: Sequence[int]


class Differences:
    """A paid period's plan, made ready to compare what was paid with what the period is worth by now."""

    def __init__(self, plan: CalculationSnapshot, *, month: str) -> None:
        self._month = month
        self._names = plan.inputs
        self._earned = plan.inputs.index(EARNED)
        names = names_of(plan.components, plan.inputs)
        self._parts = [_Part(EARNED, SALARY, Category.EARNING, range(len(plan.inputs)))]
        for component in plan.components:
            uses = formulas.check(component.said(), names=names).uses
            places = [place for place, name in enumerate(plan.inputs) if name in uses and name != EARNED]
            self._parts.append(_Part(component.code, component.name, component.category, places))

    def lines(self, before: Amounts, since: Mapping[str, Decimal], now: Amounts) -> list[OneOff]:
        """Return the lines of a person.

        `before` is the period's payslip, `since` what was paid as arrears of the period after it, by code.
        """
        return [
            OneOff(
                OneOffKind.ARREARS,
                part.category,
                part.name,
                amount - paid,
                month=self._month,
                code=part.code,
                detail={"paid": str(paid), "now": str(amount), "inputs": self._changes(part, before, now)},
            )
            for part, was, amount in zip(self._parts, self._of_each(before), self._of_each(now), strict=True)
            if (paid := was + since.get(part.code, _ZERO)) != amount
        ]

    def _of_each(self, amounts: Amounts) -> Iterator[Decimal]:
        """Yield the amount of the salary, then of each component; what is not for the person is 0."""
        yield (amounts.inputs[self._earned] if amounts.inputs else None) or _ZERO
        for at in range(len(self._parts) - 1):
            yield (amounts.components[at] if amounts.components else None) or _ZERO

    def _changes(self, part: _Part, before: Amounts, now: Amounts) -> dict[str, Any]:
        """Return the inputs that explain a part and are others by now."""
        pairs = ((self._names[at], _at(before.inputs, at), _at(now.inputs, at)) for at in part.inputs)
        return {name: {"was": _text(was), "now": _text(new)} for name, was, new in pairs if was != new}


def _at(values: Sequence[Decimal | None], place: int) -> Decimal | None:
    return values[place] if values else None


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
