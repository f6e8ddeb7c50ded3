"""A run's plan: the terms and the components that it is calculated with, kept with it and used again for its arrears.

Whoever reads a payslip years later, or pays its period anew, finds here what its numbers stand for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from chalicelib import formulas
from chalicelib.features.payroll.components import queries as component_queries
from chalicelib.features.payroll.components.categories import GROSS_CATEGORIES, Category
from chalicelib.features.payroll.components.rules import VARIABLES, Calculation, Component
from chalicelib.features.payroll.runs import terms
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.money import MINOR_UNITS

GROSS, ADJUSTMENTS = "gross", "adjustments"
EARNED, SALARY = "earned_salary", "Salary"  # the code and the name of what the days of the period are worth
# what sql/gather.sql gives, in this order; a payslip keeps these
INPUTS = tuple(name for name in VARIABLES if name != GROSS)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CalculationSnapshot:
    """What a run is calculated with; its components stand in the order in which they were defined."""

    kind: RunKind
    terms: Mapping[str, Any]  # see terms.make
    inputs: Sequence[str]
    components: tuple[Component, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what is stored of it."""
        return {
            "kind": self.kind.value,
            "terms": dict(self.terms),
            "inputs": list(self.inputs),
            "components": [asdict(component) for component in self.components],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "CalculationSnapshot":
        """Read a stored plan."""
        return cls(
            RunKind(said["kind"]), said["terms"], tuple(said["inputs"]), tuple(map(_component, said["components"]))
        )

    def uses(self, variable: str) -> bool:
        """Return whether any component may need a variable."""
        return any(variable in component.said() for component in self.components)

    def scope(self, scope: Scope) -> Scope:
        """Return the scope with the tenant's settings and pay policy as they were."""
        return replace(scope, tenant=terms.read(self.terms, scope.tenant))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan as one function: `program(values, given)`, its steps being the components and, somewhere, the gross."""

    program: formulas.Program
    gross: int  # which step it is
    steps: tuple[int, ...]  # of each component, which step it is


def make(scope: Scope, *, kind: RunKind, on: date, type_ids: Sequence[UUID] | None) -> CalculationSnapshot:
    """Plan with the components in force on a day: all of them, or for an off-cycle run those it names."""
    found = component_queries.components_of(scope, on=on, type_ids=type_ids)
    if kind is RunKind.OFF_CYCLE and type_ids is None:
        found = [component for component in found if component.calculation is Calculation.DYNAMIC]
    return CalculationSnapshot(kind, terms.make(scope.tenant), INPUTS, _computable(found))


def compiled(plan: CalculationSnapshot, *, currency: str, percents: tuple[tuple[str, Decimal], ...] = ()) -> Compiled:
    """Compile a plan for pay in a currency; `percents` stand in the place of components' own."""
    return _compiled(plan.components, tuple(plan.inputs), MINOR_UNITS[currency], percents)


def names_of(components: Sequence[Component], inputs: Sequence[str] = INPUTS) -> list[str]:
    """List what a formula may use beside these components."""
    return [*inputs, GROSS, *(component.code for component in components)]


def uses_of(components: Sequence[Component], names: Sequence[str]) -> dict[str, set[str]]:
    """Return what each component needs, and what the gross does; what is not theirs is left out."""
    codes = {component.code for component in components}
    uses: dict[str, set[str]] = {
        component.code: set(formulas.check(component.said(), names=names).uses & (codes | {GROSS}))
        for component in components
    }
    return {**uses, GROSS: {one.code for one in components if one.category in GROSS_CATEGORIES}}


@lru_cache(maxsize=1024)
def _compiled(
    components: tuple[Component, ...],
    inputs: tuple[str, ...],
    places: int,
    percents: tuple[tuple[str, Decimal], ...],
) -> Compiled:
    own = dict(percents)
    by_code = {
        component.code: replace(component, percent=own.get(component.code, component.percent))
        for component in components
    }
    names = names_of(components, inputs)
    gross = formulas.sum_of([EARNED, ADJUSTMENTS, *_earnings(components)])
    steps = []
    for name in formulas.ordered(uses_of(components, names)):
        if name == GROSS:
            steps.append(formulas.FormulaStep(GROSS, gross))
        else:
            formula = formulas.check(by_code[name].said(), names=names)
            steps.append(formulas.FormulaStep(name, formula, places, _ZERO))
    place = {step.name: number for number, step in enumerate(steps)}
    return Compiled(
        formulas.compile_steps([*inputs, ADJUSTMENTS], steps),
        place[GROSS],
        tuple(place[component.code] for component in components),
    )


def _earnings(components: Sequence[Component]) -> list[str]:
    return [component.code for component in components if component.category in GROSS_CATEGORIES]


def _computable(components: Sequence[Component]) -> tuple[Component, ...]:
    try:
        formulas.ordered(uses_of(components, names_of(components)))
    except formulas.CycleError as cycle:
        raise Conflict(f"Components need each other: {cycle}. Change one of their formulas first.") from None
    except formulas.FormulaError as error:
        # a run of some components only may have left out what one of them needs
        raise Conflict(f"A component cannot be computed: {error.detail}. Take in what it needs.") from None
    return tuple(sorted(components, key=lambda component: component.type_id.hex))


def _component(said: Mapping[str, Any]) -> Component:
    numbers = {name: None if said[name] is None else Decimal(said[name]) for name in ("amount", "percent")}
    return Component(
        **{
            **said,
            **numbers,
            "type_id": UUID(said["type_id"]),
            "category": Category(said["category"]),
            "calculation": Calculation(said["calculation"]),
        }
    )
