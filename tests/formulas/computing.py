"""Computing one formula, as tests want it."""

from collections.abc import Mapping
from decimal import Decimal

from chalicelib import formulas

Given = str | int | None


def step(text: str, /, **values: Given) -> tuple[Decimal | None, list[tuple[str, str | None]]]:
    """Compute a formula under the name x, and give its value and its warnings as (code, name)."""
    return steps({"x": text}, values)["x"]


def value(text: str, /, **values: Given) -> str | None:
    """Compute a formula that gives no warning, and word its value."""
    found, warnings = step(text, **values)
    assert warnings == []
    return None if found is None else format(found, "f")


def steps(
    texts: Mapping[str, str],
    values: Mapping[str, Given],
    *,
    given: Mapping[str, Given] | None = None,
    places: int | None = None,
    at_least: Given = None,
) -> dict[str, tuple[Decimal | None, list[tuple[str, str | None]]]]:
    """Compute formulas one after the other, each of which may use those before it."""
    names, made = list(values), []
    for name, text in texts.items():
        least = None if at_least is None else Decimal(at_least)
        made.append(formulas.FormulaStep(name, formulas.check(text, names=names), places, least))
        names.append(name)
    program = formulas.compile_steps(list(values), made)
    with formulas.exactly():
        found, warnings = program(_decimals(values.values()), _decimals((given or {}).get(name) for name in texts))
    return {
        name: (each, [(warning.code, warning.name) for warning in warnings if warning.step == name])
        for name, each in zip(texts, found, strict=True)
    }


def _decimals(values) -> list[Decimal | None]:
    return [None if each is None else Decimal(each) for each in values]
