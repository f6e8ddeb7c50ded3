"""Dependencies between components, on every day from one on: none may be missing, and none cyclic."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chalicelib import formulas
from chalicelib.features.payroll.components.categories import GROSS_CATEGORIES
from chalicelib.features.payroll.components.rules import VARIABLES, Component

GROSS = "gross"  # depends on every earning


@dataclass(frozen=True, slots=True)
class ComponentVersion:
    """One version of a component, and the day from which it is in force."""

    effective_from: date
    component: Component


def select_in_force(definitions: Iterable[ComponentVersion], *, on: date) -> list[Component]:
    """Select the version of each component that is in force on a day, in the order of codes."""
    by_id: dict[UUID, Component] = {}
    for one in sorted(definitions, key=lambda one: (one.effective_from, one.component.version)):
        if one.effective_from <= on:
            by_id[one.component.type_id] = one.component
    return sorted(by_id.values(), key=lambda component: component.code)


def list_change_days(definitions: Iterable[ComponentVersion], *, first: date) -> list[date]:
    """List the days from `first` on at which any version changes."""
    return sorted({first} | {one.effective_from for one in definitions if one.effective_from > first})


class Dependencies:
    """The names that each component depends on; each formula is parsed once."""

    def __init__(self, codes: Collection[str]) -> None:
        self._names = frozenset({*VARIABLES, *codes})
        self._of: dict[str, frozenset[str]] = {}

    def of(self, component: Component) -> frozenset[str]:
        """Return the variables and components that a component depends on. Raises FormulaError."""
        text = component.formula_text()
        if text not in self._of:
            self._of[text] = formulas.check(text, names=self._names).uses
        return self._of[text]


def find_dependents(
    code: str, definitions: Sequence[ComponentVersion], *, first: date, dependencies: Dependencies
) -> list[Component]:
    """Return the other components that depend on a component on any day from `first` on."""
    dependents = {
        component.code: component
        for day in list_change_days(definitions, first=first)
        for component in select_in_force(definitions, on=day)
        if component.code != code and code in dependencies.of(component)
    }
    return list(dependents.values())


def find_problem(
    code: str, definitions: Sequence[ComponentVersion], *, first: date, dependencies: Dependencies
) -> str | None:
    """Return why a component cannot be computed on some day from `first` on, or None."""
    for day in list_change_days(definitions, first=first):
        components = select_in_force(definitions, on=day)
        codes = {component.code for component in components}
        uses = {component.code: dependencies.of(component) for component in components}
        for missing in sorted(uses.get(code, frozenset()) - codes - VARIABLES.keys()):
            return _explain_missing(missing, definitions, day=day)
        earnings = {component.code for component in components if component.category in GROSS_CATEGORIES}
        try:
            formulas.ordered({**uses, GROSS: earnings})
        except formulas.CycleError as cycle:
            return f"components need each other, from {day} on: {cycle}" + (
                f" ({GROSS} is the sum of all earnings)" if GROSS in cycle.names else ""
            )
    return None


def _explain_missing(code: str, definitions: Sequence[ComponentVersion], *, day: date) -> str:
    begins = min((one.effective_from for one in definitions if one.component.code == code), default=None)
    if begins is None:
        return f"needs {code}, which is not active: make it active first"
    return f"needs {code} on {day}, and {code} begins on {begins}: say an effective_from of {begins} or later"
