"""From a person's inputs to the amounts of a plan's components: the one place where pay is computed.

Runs, arrears and previews all come through here, so a payslip, its correction and what was promised before cannot
differ. Everything is exact until a component's amount is rounded, once, by the compiled program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from chalicelib import formulas
from chalicelib.features.payroll.components.categories import CATEGORIES, Category, net_of
from chalicelib.features.payroll.components.rules import Calculation
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot, Compiled, compiled
from chalicelib.kernel.money import rounded

ZERO = Decimal(0)
MOST = Decimal(10) ** 15  # no amount of money here is as large


@dataclass(slots=True)
class Choice:
    """What of a plan is for one person: per component whether, and what stands in the place of its own numbers."""

    applies: list[bool]
    amounts: dict[int, Decimal] = field(default_factory=dict)  # by component
    percents: dict[str, Decimal] = field(default_factory=dict)  # by code
    is_foreign: bool = False  # something would be for them, but is in another currency

    def to_json(self, plan: CalculationSnapshot) -> dict[str, Any] | None:
        """Return what a payslip keeps of it."""
        amounts = {plan.components[at].code: {"amount": str(amount)} for at, amount in self.amounts.items()}
        return {**amounts, **{code: {"percent": str(percent)} for code, percent in self.percents.items()}} or None

    @classmethod
    def from_payslip(
        cls, plan: CalculationSnapshot, amounts: Sequence[Decimal | None], given: Mapping[str, Any] | None
    ) -> "Choice":
        """Read what a payslip has kept."""
        said = given or {}
        place = {component.code: at for at, component in enumerate(plan.components)}
        return cls(
            [amount is not None for amount in amounts],
            {place[code]: Decimal(one["amount"]) for code, one in said.items() if "amount" in one},
            {code: Decimal(one["percent"]) for code, one in said.items() if "percent" in one},
        )

    def only_dynamic(self, plan: CalculationSnapshot) -> "Choice":
        """Return what of it counts outside the period: amounts of dynamic components."""
        is_dynamic = [one.calculation is Calculation.DYNAMIC for one in plan.components]
        return Choice(
            [applies and dynamic for applies, dynamic in zip(self.applies, is_dynamic, strict=True)],
            {at: amount for at, amount in self.amounts.items() if is_dynamic[at]},
        )


@dataclass(slots=True)
class Pay:
    """What the components come to for one person; the sums are without anything that no component made."""

    amounts: list[Decimal | None]  # of each component; None: it is not for this person
    warnings: list[formulas.Warning]
    totals: tuple[Decimal, ...]  # one per category, in the order of CATEGORIES; the salary is in that of earnings

    @property
    def net(self) -> Decimal:
        """What is left for the employee; below 0 it is carried into the next run."""
        return net_of(self.totals)


class Calculator:
    """A plan made ready for pay in one currency. Most people have nothing of their own: they share one choice."""

    def __init__(self, plan: CalculationSnapshot, *, currency: str) -> None:
        self.plan = plan
        self.currency = currency
        parts = plan.components
        self._zero = rounded(ZERO, currency)
        self._code = compiled(plan, currency=currency)
        self._earned = plan.inputs.index("earned_salary")
        self._foreign = frozenset(
            at for at, one in enumerate(parts) if one.calculation is Calculation.FIXED and one.currency != currency
        )
        self._dynamic = frozenset(at for at, one in enumerate(parts) if one.calculation is Calculation.DYNAMIC)
        self._place = {one.type_id: at for at, one in enumerate(parts)}
        # per category: the input that its total begins with (the salary is an earning), and its components
        self._starts_and_places = tuple(
            (
                self._earned if rule.category is Category.EARNING else None,
                [at for at, one in enumerate(parts) if one.category is rule.category],
            )
            for rule in CATEGORIES
        )
        self._everybody = [one.applies_to_all and at not in self._dynamic for at, one in enumerate(parts)]
        self.common = self._settled(Choice(list(self._everybody)))  # of whoever has nothing of their own
        self._usual = self._given(self.common)
        # most inputs are only kept; what no formula asks for stays unread
        said = " ".join(one.said() for one in parts)
        self._read = [at for at, name in enumerate(plan.inputs) if name in said or at == self._earned]

    def read(self, said: str) -> list[Decimal | None]:
        """Read the inputs that formulas may ask for from a PostgreSQL array of all of them."""
        texts = said[1:-1].split(",")
        values: list[Decimal | None] = [None] * len(texts)
        for at in self._read:
            if (one := texts[at]) != "NULL":
                values[at] = Decimal(one)
        return values

    def choose(
        self, *, assignments: Sequence[Row[Any]], amounts: Sequence[Row[Any]], is_in_period: bool = True
    ) -> Choice:
        """Choose for one person; outside the period only amounts given for the run count."""
        if is_in_period and not assignments and not amounts:
            return self.common
        choice = Choice(list(self._everybody) if is_in_period else [False] * len(self._everybody))
        for row in assignments if is_in_period else ():
            if (at := self._place.get(row.type_id)) is None or at in self._dynamic:
                continue
            choice.applies[at] = row.applies
            if row.applies and row.amount is not None:
                choice.amounts[at] = row.amount
            if row.applies and row.percent is not None:
                choice.percents[self.plan.components[at].code] = row.percent
        for row in amounts:
            if (at := self._place.get(row.type_id)) is not None:
                choice.applies[at] = True
                choice.amounts[at] = row.amount
        return self._settled(choice)

    def pay(self, choice: Choice, values: Sequence[Decimal | None], *, adjustments: Decimal = ZERO) -> Pay:
        """Compute a person's components; `values` are the plan's inputs, `adjustments` what the gross adds.

        The caller has entered `formulas.exactly()`.
        """
        code, results, warnings = self.results(choice, values, adjustments=adjustments)
        amounts = [
            (results[step] or self._zero) if applies else None
            for applies, step in zip(choice.applies, code.steps, strict=False)
        ]
        for at, amount in enumerate(amounts):
            if amount is not None and amount >= MOST:
                amounts[at] = self._zero
                warnings.append(formulas.Warning(self.plan.components[at].code, "too_large"))
        totals = []
        for starts_with, places in self._starts_and_places:
            total = self._zero if starts_with is None else values[starts_with] or self._zero
            for at in places:
                if amount := amounts[at]:
                    total += amount
            totals.append(total)
        return Pay(amounts, warnings, tuple(totals))

    def results(
        self, choice: Choice, values: Sequence[Decimal | None], *, adjustments: Decimal = ZERO
    ) -> tuple[Compiled, list[Decimal | None], list[formulas.Warning]]:
        """Compute every step: the compiled plan that says which is which, their values, the warnings."""
        code = self._code
        if choice.percents:
            code = compiled(self.plan, currency=self.currency, percents=tuple(sorted(choice.percents.items())))
        given = self._usual if choice is self.common else self._given(choice)
        results, warnings = code.program([*values, adjustments], given)
        return code, results, warnings

    def _given(self, choice: Choice) -> list[Decimal | None]:
        given: list[Decimal | None] = [None] * (len(self._code.steps) + 1)
        for at, step in enumerate(self._code.steps):
            given[step] = choice.amounts.get(at) if choice.applies[at] else ZERO
        return given

    def _settled(self, choice: Choice) -> Choice:
        for at in self._foreign:
            # an amount of their own is in the currency of their pay
            if choice.applies[at] and at not in choice.amounts:
                choice.applies[at] = False
                choice.is_foreign = True
        return choice
