"""Evaluation: from an employee's inputs to the amounts of components. The only place where pay is computed.

Runs, arrears and previews share it, so a payslip, its correction and its preview cannot differ. Everything is exact
until the compiled program rounds a component's amount, once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from chalicelib import formulas
from chalicelib.features.payroll.components.categories import CATEGORIES, Category, net_of
from chalicelib.features.payroll.components.rules import Calculation
from chalicelib.features.payroll.payslips.inputs import ComponentOverride, RunAmount
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot, CompiledSnapshot, compile_snapshot
from chalicelib.kernel.money import rounded

ZERO = Decimal(0)
AMOUNT_LIMIT = Decimal(10) ** 15  # no amount of money here is as large


@dataclass(slots=True)
class AppliedComponents:
    """Which components of a snapshot apply to one employee, and the overrides of their amounts and percents."""

    applies: list[bool]
    amounts: dict[int, Decimal] = field(default_factory=dict)  # by position of the component
    percents: dict[str, Decimal] = field(default_factory=dict)  # by code
    is_foreign: bool = False  # a component would apply, but is in another currency

    def to_json(self, snapshot: CalculationSnapshot) -> dict[str, Any] | None:
        """Return the overrides as a payslip stores them."""
        amounts = {snapshot.components[at].code: {"amount": str(amount)} for at, amount in self.amounts.items()}
        return {**amounts, **{code: {"percent": str(percent)} for code, percent in self.percents.items()}} or None

    @classmethod
    def from_payslip(
        cls, snapshot: CalculationSnapshot, amounts: Sequence[Decimal | None], stored: Mapping[str, Any] | None
    ) -> "AppliedComponents":
        """Parse what a payslip stores."""
        overrides = stored or {}
        place = {component.code: at for at, component in enumerate(snapshot.components)}
        return cls(
            [amount is not None for amount in amounts],
            {place[code]: Decimal(one["amount"]) for code, one in overrides.items() if "amount" in one},
            {code: Decimal(one["percent"]) for code, one in overrides.items() if "percent" in one},
        )

    def keep_dynamic(self, snapshot: CalculationSnapshot) -> "AppliedComponents":
        """Return what applies to an employee outside the period: amounts of dynamic components."""
        is_dynamic = [one.calculation is Calculation.DYNAMIC for one in snapshot.components]
        return AppliedComponents(
            [applies and dynamic for applies, dynamic in zip(self.applies, is_dynamic, strict=True)],
            {at: amount for at, amount in self.amounts.items() if is_dynamic[at]},
        )


@dataclass(slots=True)
class Pay:
    """The amounts of one employee's components, and their totals; adjustments and arrears are added later."""

    amounts: list[Decimal | None]  # one per component; None: does not apply
    warnings: list[formulas.Warning]
    totals: tuple[Decimal, ...]  # one per category, in the order of CATEGORIES; the salary is in that of earnings

    @property
    def net(self) -> Decimal:
        """What is left for the employee; below 0 it is carried into the next run."""
        return net_of(self.totals)


class Calculator:
    """A snapshot compiled for pay in one currency. Employees without overrides (most) share one set of components."""

    def __init__(self, snapshot: CalculationSnapshot, *, currency: str) -> None:
        self.snapshot = snapshot
        self.currency = currency
        components = snapshot.components
        self._zero = rounded(ZERO, currency)
        self._compiled = compile_snapshot(snapshot, currency=currency)
        self._earned = snapshot.inputs.index("earned_salary")
        self._foreign = frozenset(
            at for at, one in enumerate(components) if one.calculation is Calculation.FIXED and one.currency != currency
        )
        self._dynamic = frozenset(at for at, one in enumerate(components) if one.calculation is Calculation.DYNAMIC)
        self._place = {one.type_id: at for at, one in enumerate(components)}
        # per category: the input that its total begins with (the salary is an earning), and its components
        self._starts_and_places = tuple(
            (
                self._earned if rule.category is Category.EARNING else None,
                [at for at, one in enumerate(components) if one.category is rule.category],
            )
            for rule in CATEGORIES
        )
        self._for_everybody = [one.applies_to_all and at not in self._dynamic for at, one in enumerate(components)]
        self.defaults = self._without_foreign_amounts(AppliedComponents(list(self._for_everybody)))
        self._default_presets = self._preset_steps(self.defaults)
        # most inputs are only stored; those that no formula uses are not parsed
        formula_texts = " ".join(one.formula_text() for one in components)
        self._read = [at for at, name in enumerate(snapshot.inputs) if name in formula_texts or at == self._earned]

    def read(self, array_text: str) -> list[Decimal | None]:
        """Parse the inputs that formulas use from the text of a PostgreSQL array of all inputs."""
        texts = array_text[1:-1].split(",")
        values: list[Decimal | None] = [None] * len(texts)
        for at in self._read:
            if (one := texts[at]) != "NULL":
                values[at] = Decimal(one)
        return values

    def select_components(
        self, *, assignments: Sequence[ComponentOverride], amounts: Sequence[RunAmount], is_in_period: bool = True
    ) -> AppliedComponents:
        """Select the components that apply to one employee; outside the period only amounts given for the run count."""
        if is_in_period and not assignments and not amounts:
            return self.defaults
        applied = AppliedComponents(list(self._for_everybody) if is_in_period else [False] * len(self._for_everybody))
        for override in assignments if is_in_period else ():
            if (at := self._place.get(override.type_id)) is None or at in self._dynamic:
                continue
            applied.applies[at] = override.applies
            if override.applies and override.amount is not None:
                applied.amounts[at] = override.amount
            if override.applies and override.percent is not None:
                applied.percents[self.snapshot.components[at].code] = override.percent
        for row in amounts:
            if (at := self._place.get(row.type_id)) is not None:
                applied.applies[at] = True
                applied.amounts[at] = row.amount
        return self._without_foreign_amounts(applied)

    def pay(self, applied: AppliedComponents, values: Sequence[Decimal | None], *, adjustments: Decimal = ZERO) -> Pay:
        """Compute an employee's components; `values` are the snapshot's inputs, `adjustments` are added to the gross.

        The caller has entered `formulas.exactly()`.
        """
        compiled, results, warnings = self.results(applied, values, adjustments=adjustments)
        amounts = [
            (results[step] or self._zero) if applies else None
            for applies, step in zip(applied.applies, compiled.steps, strict=False)
        ]
        for at, amount in enumerate(amounts):
            if amount is not None and amount >= AMOUNT_LIMIT:
                amounts[at] = self._zero
                warnings.append(formulas.Warning(self.snapshot.components[at].code, "too_large"))
        totals = []
        for starts_with, places in self._starts_and_places:
            total = self._zero if starts_with is None else values[starts_with] or self._zero
            for at in places:
                if amount := amounts[at]:
                    total += amount
            totals.append(total)
        return Pay(amounts, warnings, tuple(totals))

    def results(
        self, applied: AppliedComponents, values: Sequence[Decimal | None], *, adjustments: Decimal = ZERO
    ) -> tuple[CompiledSnapshot, list[Decimal | None], list[formulas.Warning]]:
        """Compute every step: return the compiled snapshot, which names the steps, their values, and warnings."""
        compiled = self._compiled
        if applied.percents:
            compiled = compile_snapshot(
                self.snapshot, currency=self.currency, percents=tuple(sorted(applied.percents.items()))
            )
        presets = self._default_presets if applied is self.defaults else self._preset_steps(applied)
        results, warnings = compiled.program([*values, adjustments], presets)
        return compiled, results, warnings

    def _preset_steps(self, applied: AppliedComponents) -> list[Decimal | None]:
        presets: list[Decimal | None] = [None] * (len(self._compiled.steps) + 1)
        for at, step in enumerate(self._compiled.steps):
            presets[step] = applied.amounts.get(at) if applied.applies[at] else ZERO
        return presets

    def _without_foreign_amounts(self, applied: AppliedComponents) -> AppliedComponents:
        for at in self._foreign:
            # an overriding amount is in the currency of the employee's pay
            if applied.applies[at] and at not in applied.amounts:
                applied.applies[at] = False
                applied.is_foreign = True
        return applied
