"""A run's calculation snapshot: its terms and components, stored with it (column `plan`) and used again for arrears.

It gives the numbers of a payslip their names and formulas, also years later.
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
# the values that payslips/sql/inputs.sql selects, in this order; a payslip stores them
INPUTS = tuple(name for name in VARIABLES if name != GROSS)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CalculationSnapshot:
    """What a run is calculated with; components are in the order of their definition."""

    kind: RunKind
    terms: Mapping[str, Any]  # see terms.resolve_terms
    inputs: Sequence[str]
    components: tuple[Component, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot as it is stored."""
        return {
            "kind": self.kind.value,
            "terms": dict(self.terms),
            "inputs": list(self.inputs),
            "components": [asdict(component) for component in self.components],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "CalculationSnapshot":
        """Parse a stored snapshot."""
        return cls(
            RunKind(stored["kind"]),
            stored["terms"],
            tuple(stored["inputs"]),
            tuple(map(_parse_component, stored["components"])),
        )

    def uses(self, variable: str) -> bool:
        """Return whether any component may need a variable."""
        return any(variable in component.formula_text() for component in self.components)

    def scope(self, scope: Scope) -> Scope:
        """Return the scope with the tenant's settings and pay policy as they were."""
        return replace(scope, tenant=terms.restore_tenant(self.terms, scope.tenant))


@dataclass(frozen=True, slots=True)
class CompiledSnapshot:
    """A snapshot as one function, `program(values, presets)`, whose steps are the components and the gross."""

    program: formulas.Program
    gross: int  # its step
    steps: tuple[int, ...]  # the step of each component


def take_snapshot(scope: Scope, *, kind: RunKind, on: date, type_ids: Sequence[UUID] | None) -> CalculationSnapshot:
    """Take a snapshot of the components in force on a day: all, or for an off-cycle run those it names."""
    components = component_queries.load_components(scope, on=on, type_ids=type_ids)
    if kind is RunKind.OFF_CYCLE and type_ids is None:
        components = [component for component in components if component.calculation is Calculation.DYNAMIC]
    return CalculationSnapshot(kind, terms.resolve_terms(scope.tenant), INPUTS, _check_computable(components))


def compile_snapshot(
    snapshot: CalculationSnapshot, *, currency: str, percents: tuple[tuple[str, Decimal], ...] = ()
) -> CompiledSnapshot:
    """Compile a snapshot for pay in a currency; `percents` override those of components."""
    return _compile_components(snapshot.components, tuple(snapshot.inputs), MINOR_UNITS[currency], percents)


def list_names(components: Sequence[Component], inputs: Sequence[str] = INPUTS) -> list[str]:
    """List the names that a formula may use: inputs, gross and component codes."""
    return [*inputs, GROSS, *(component.code for component in components)]


def find_dependencies(components: Sequence[Component], names: Sequence[str]) -> dict[str, set[str]]:
    """Return the components that each component, and the gross, depends on."""
    codes = {component.code for component in components}
    uses: dict[str, set[str]] = {
        component.code: set(formulas.check(component.formula_text(), names=names).uses & (codes | {GROSS}))
        for component in components
    }
    return {**uses, GROSS: {one.code for one in components if one.category in GROSS_CATEGORIES}}


@lru_cache(maxsize=1024)
def _compile_components(
    components: tuple[Component, ...],
    inputs: tuple[str, ...],
    places: int,
    percents: tuple[tuple[str, Decimal], ...],
) -> CompiledSnapshot:
    overrides = dict(percents)
    by_code = {
        component.code: replace(component, percent=overrides.get(component.code, component.percent))
        for component in components
    }
    names = list_names(components, inputs)
    gross = formulas.sum_of([EARNED, ADJUSTMENTS, *_gross_codes(components)])
    steps = []
    for name in formulas.ordered(find_dependencies(components, names)):
        if name == GROSS:
            steps.append(formulas.FormulaStep(GROSS, gross))
        else:
            formula = formulas.check(by_code[name].formula_text(), names=names)
            steps.append(formulas.FormulaStep(name, formula, places, _ZERO))
    place = {step.name: number for number, step in enumerate(steps)}
    return CompiledSnapshot(
        formulas.compile_steps([*inputs, ADJUSTMENTS], steps),
        place[GROSS],
        tuple(place[component.code] for component in components),
    )


def _gross_codes(components: Sequence[Component]) -> list[str]:
    return [component.code for component in components if component.category in GROSS_CATEGORIES]


def _check_computable(components: Sequence[Component]) -> tuple[Component, ...]:
    try:
        formulas.ordered(find_dependencies(components, list_names(components)))
    except formulas.CycleError as cycle:
        raise Conflict(f"Components need each other: {cycle}. Change one of their formulas first.") from None
    except formulas.FormulaError as error:
        # a run of some components only may have left out what one of them needs
        raise Conflict(f"A component cannot be computed: {error.detail}. Take in what it needs.") from None
    return tuple(sorted(components, key=lambda component: component.type_id.hex))


def _parse_component(stored: Mapping[str, Any]) -> Component:
    numbers = {name: None if stored[name] is None else Decimal(stored[name]) for name in ("amount", "percent")}
    return Component(
        **{
            **stored,
            **numbers,
            "type_id": UUID(stored["type_id"]),
            "category": Category(stored["category"]),
            "calculation": Calculation(stored["calculation"]),
        }
    )
