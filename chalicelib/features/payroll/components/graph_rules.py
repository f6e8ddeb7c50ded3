"""What components need of each other, on every day from one on: whether it is there, and goes in no circle."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chalicelib import formulas
from chalicelib.features.payroll.components.categories import GROSS_CATEGORIES
from chalicelib.features.payroll.components.rules import VARIABLES, Component

GROSS = "gross"  # which needs every earning


@dataclass(frozen=True, slots=True)
class ComponentVersion:
    """One version of a component, and the day from which it is in force."""

    effective_from: date
    component: Component


def in_force(definitions: Iterable[ComponentVersion], *, on: date) -> list[Component]:
    """Pick the version of each component that is in force on a day, in the order of their codes."""
    found: dict[UUID, Component] = {}
    for one in sorted(definitions, key=lambda one: (one.effective_from, one.component.version)):
        if one.effective_from <= on:
            found[one.component.type_id] = one.component
    return sorted(found.values(), key=lambda component: component.code)


def days_from(definitions: Iterable[ComponentVersion], *, first: date) -> list[date]:
    """List the days from one on at which something may be another than the day before."""
    return sorted({first} | {one.effective_from for one in definitions if one.effective_from > first})


class Needs:
    """What each component needs, each formula read once."""

    def __init__(self, codes: Collection[str]) -> None:
        self._names = frozenset({*VARIABLES, *codes})
        self._of: dict[str, frozenset[str]] = {}

    def of(self, component: Component) -> frozenset[str]:
        """Return the variables and components that a component is computed from, or raise FormulaError."""
        text = component.formula_text()
        if text not in self._of:
            self._of[text] = formulas.check(text, names=self._names).uses
        return self._of[text]


def users_of(code: str, definitions: Sequence[ComponentVersion], *, first: date, needs: Needs) -> list[Component]:
    """Return the other components that need one on some day from the first on."""
    found = {
        component.code: component
        for day in days_from(definitions, first=first)
        for component in in_force(definitions, on=day)
        if component.code != code and code in needs.of(component)
    }
    return list(found.values())


def problem_of(code: str, definitions: Sequence[ComponentVersion], *, first: date, needs: Needs) -> str | None:
    """Return why a component cannot be computed on some day from the first on, or None if it always can."""
    for day in days_from(definitions, first=first):
        components = in_force(definitions, on=day)
        codes = {component.code for component in components}
        uses = {component.code: needs.of(component) for component in components}
        for missing in sorted(uses.get(code, frozenset()) - codes - VARIABLES.keys()):
            return _why_missing(missing, definitions, day=day)
        earnings = {component.code for component in components if component.category in GROSS_CATEGORIES}
        try:
            formulas.ordered({**uses, GROSS: earnings})
        except formulas.CycleError as cycle:
            return f"components need each other, from {day} on: {cycle}" + (
                f" ({GROSS} is the sum of all earnings)" if GROSS in cycle.names else ""
            )
    return None


def _why_missing(code: str, definitions: Sequence[ComponentVersion], *, day: date) -> str:
    begins = min((one.effective_from for one in definitions if one.component.code == code), default=None)
    if begins is None:
        return f"needs {code}, which is not active: make it active first"
    return f"needs {code} on {day}, and {code} begins on {begins}: say an effective_from of {begins} or later"
