"""Make one payslip the slow and obvious way (rules.md section 7): one component at a time, when asked for.

What a component needs is computed first, because it is asked for first. Every component is rounded once, half up, to
the minor unit, and others use the rounded amount; below 0 it counts 0. What has no value counts 0 on its line and in
the gross, and whatever else needs it has no value either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from tests.model.earned import earned, lines_sum, working_days
from tests.model.expressions import Evaluation, Value, divided, parse, round_to
from tests.model.facts import Employee, Facts, Tenant
from tests.model.register import register, totals
from tests.model.workdays import days_between, period_of, salary_on

Category = Literal["earning", "deduction", "tax", "benefit"]
CATEGORIES: tuple[Category, ...] = ("earning", "deduction", "tax", "benefit")
COUNTED = (
    *("present_days", "od_days", "paid_leave_days", "lop_days", "absent_days", "holidays", "week_offs"),
    *("extra_days", "payable_shifts", "ot_hours", "late_count", "early_out_count"),
)


@dataclass(frozen=True)
class Component:
    """One component as an admin defined it: by amount, percent with base, formula, or none (dynamic)."""

    code: str
    category: Category
    for_everybody: bool = True
    amount: Decimal | None = None
    percent: Decimal | None = None
    base: str = "earned_salary"
    formula: str | None = None


@dataclass(frozen=True)
class Own:
    """What one person has of their own for a component: another amount or percent, or no part in it."""

    included: bool = True
    amount: Decimal | None = None
    percent: Decimal | None = None


@dataclass(frozen=True)
class OneOff:
    """A line that no component made: an adjustment, arrears, or what is carried over."""

    name: str
    category: Category
    amount: Decimal
    taxed: bool = False  # whether it counts in the gross that formulas see


@dataclass(frozen=True)
class Payslip:
    """The lines by category, in the order in which they are told, and the totals."""

    lines: Mapping[str, Mapping[str, Decimal]]
    gross: Decimal
    deductions: Decimal
    taxes: Decimal
    benefits: Decimal
    warnings: Mapping[str, set[str]] = field(default_factory=dict)

    @property
    def net(self) -> Decimal:
        """Return what is to be paid, or below 0 carried."""
        return self.gross - self.deductions - self.taxes


class Sheet:
    """The sheet of paper on which the components of one person are worked out."""

    def __init__(
        self,
        inputs: Mapping[str, Value],
        components: Sequence[Component],
        *,
        own: Mapping[str, Own] | None = None,
        given: Mapping[str, Decimal] | None = None,
        one_offs: Sequence[OneOff] = (),
        minor_units: int = 2,
    ) -> None:
        self.inputs = inputs
        self.components = {one.code: one for one in components}
        self.own, self.given = own or {}, given or {}
        self.one_offs = one_offs
        self.minor_units = minor_units
        self.done: dict[str, Fraction | None] = {}
        self.warnings: dict[str, set[str]] = {}

    def takes_part(self, component: Component) -> bool:
        """Return whether the person has the component at all."""
        own = self.own.get(component.code)
        if component.amount is component.percent is component.formula is None:  # dynamic: whoever is given one
            return component.code in self.given
        return component.for_everybody if own is None else own.included

    def gross(self) -> Fraction:
        """Return the gross that formulas see: salary, earning components, adjustments that pay; no arrears."""
        total = Fraction(self.inputs["earned_salary"] or 0)
        for component in self.components.values():
            if component.category == "earning" and self.takes_part(component):
                total += self.amount_of(component.code) or 0
        for one in self.one_offs:
            if one.taxed:
                total += Fraction(one.amount)
        return total

    def value_of(self, name: str) -> Value:
        """Return what a name in a formula stands for."""
        if name == "gross":
            return self.gross()
        if name in self.components:
            return self.amount_of(name) if self.takes_part(self.components[name]) else Fraction(0)
        return self.inputs[name]

    def amount_of(self, code: str) -> Fraction | None:
        """Work out one component, once."""
        if code not in self.done:
            evaluation = Evaluation(self.value_of)
            value = self.exact(self.components[code], evaluation)
            amount = None if value is None else round_to(value, self.minor_units)
            # what was divided by zero is told even where it was not needed in the end
            warnings = evaluation.warnings if amount is None else evaluation.warnings & {"division_by_zero"}
            if amount is not None and amount < 0:
                warnings = warnings | {"below"}
                amount = Fraction(0)
            if warnings:
                self.warnings[code] = warnings
            self.done[code] = amount
        return self.done[code]

    def exact(self, component: Component, evaluation: Evaluation) -> Fraction | None:
        """Return the amount of a component before it is rounded."""
        own = self.own.get(component.code, Own())
        if component.code in self.given:
            return Fraction(self.given[component.code])
        if own.amount is not None:
            return Fraction(own.amount)
        if component.amount is not None:
            return Fraction(component.amount)
        if component.percent is not None:
            base = evaluation.value(("name", component.base))
            percent = component.percent if own.percent is None else own.percent
            return None if base is None else Fraction(base) * Fraction(percent) / 100
        if component.formula is None:
            return Fraction(0)
        value = evaluation.value(parse(component.formula))
        return None if value is None else Fraction(value)

    def payslip(self, *, with_salary: bool = True) -> Payslip:
        """Fill in every line and add them up."""
        lines: dict[str, dict[str, Decimal]] = {"earning": {}, "deduction": {}, "tax": {}, "benefit": {}}
        if with_salary:
            lines["earning"]["salary"] = self.money(Fraction(self.inputs["earned_salary"] or 0))
        for component in self.components.values():
            if self.takes_part(component):
                lines[component.category][component.code] = self.money(self.amount_of(component.code) or Fraction(0))
        for one in self.one_offs:
            before = lines[one.category].get(one.name, Decimal(0))
            lines[one.category][one.name] = before + one.amount
        sums = {category: sum(amounts.values(), Decimal(0)) for category, amounts in lines.items()}
        return Payslip(lines, sums["earning"], sums["deduction"], sums["tax"], sums["benefit"], self.warnings)

    def money(self, amount: Fraction) -> Decimal:
        """Write an amount that is rounded already as a decimal."""
        scaled = amount * 10**self.minor_units
        assert scaled.denominator == 1
        return Decimal(scaled.numerator).scaleb(-self.minor_units)


def inputs_of(
    tenant: Tenant, employee: Employee, facts: Facts, month: str, kpi_score: Decimal | None = None
) -> dict[str, Value]:
    """Return what formulas may use, for one person and a whole period that is over."""
    start, end = period_of(tenant, month)
    last = end if employee.left_on is None else min(end, employee.left_on)
    sums = totals(register(tenant, employee, facts, month, end))
    work = working_days(tenant, employee, facts, days_between(start, end))
    salary = salary_on(employee, last)
    base = Fraction(0) if salary is None else Fraction(salary.amount)
    daily: Fraction | None = None
    if salary is not None:
        divisor = {"monthly": work, "weekly": Fraction(7 - len(tenant.weekend)), "daily": Fraction(1)}
        daily = divided(base, divisor[salary.frequency])
    hours = Fraction(tenant.policy.full_day_minutes, 60)
    return {
        "base_salary": base,
        "earned_salary": Fraction(lines_sum(earned(tenant, employee, facts, month, end))),
        "working_days": work,
        **{name: Fraction(sums[name]) for name in COUNTED},
        "daily_rate": daily,
        "hourly_rate": None if daily is None else divided(daily, hours),
        "years_of_service": Fraction(complete_years(employee.joined_on, last)),
        "kpi_score": None if kpi_score is None else Fraction(kpi_score),
    }


def without_salary(inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Return what formulas may use in a run beside the regular one: the salary is earned elsewhere."""
    return {**inputs, "earned_salary": Fraction(0)}


def complete_years(since: date, until: date) -> int:
    """Count birthdays of an employment: on the day itself the year is complete."""
    years = until.year - since.year
    if (until.month, until.day) < (since.month, since.day):
        years -= 1
    return max(years, 0)


def in_the_period(tenant: Tenant, employee: Employee, month: str) -> bool:
    """Return whether somebody has a day of employment in the period."""
    start, end = period_of(tenant, month)
    return employee.joined_on <= end and (employee.left_on is None or employee.left_on >= start)
