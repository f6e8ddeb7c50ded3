"""Scoring: what a definition makes of measured numbers. Night and preview compute by this and nothing else."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from chalicelib import formulas
from chalicelib.features.kpis.rules import METRICS, Measured, MetricType, Scored, Source

_VALUE = "value"  # what the one step of a program is called
_WORDS = {
    "division_by_zero": "the formula divides by zero",
    "too_large": "the formula comes to a number too large to keep",
}


class Scorer:
    """A definition, ready to score any number of people; what has to be compiled is compiled once.

    A formula of a boolean KPI says yes or no, and its value is 1 or 0. FormulaError tells what is wrong with one.
    """

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.formula: formulas.CheckedFormula | None = None
        if definition["source"] == Source.FORMULA:
            self.formula = check(definition["formula"], metric_type=definition["metric_type"])
            self.names = sorted(self.formula.uses)
            counted = self.formula
            if definition["metric_type"] == MetricType.BOOLEAN:
                counted = formulas.check(f"IF({self.formula.text}, 1, 0)", names=METRICS)
            self._program = formulas.compile_steps(self.names, [formulas.FormulaStep(_VALUE, counted)])
        else:
            self.names = [definition["metric"]]

    def score(self, measured: Measured) -> Scored:
        """Score one person; called inside `formulas.exactly()`."""
        values = [measured.values[name] for name in self.names]
        inputs = dict(zip(self.names, values, strict=True))
        if self.formula is None:
            return Scored(values[0], inputs, [_missing(self.names[0])] if values[0] is None else [])
        [value], warnings = self._program(values, [None])
        return Scored(value, inputs, [_words(one) for one in warnings])

    def trace(self, measured: Measured) -> Sequence[formulas.TracedPart]:
        """Show what each part of the formula came to, innermost first; called like `score`."""
        if self.formula is None:
            return []
        return formulas.trace(self.formula, {name: measured.values[name] for name in self.names})


def check(text: str, *, metric_type: str) -> formulas.CheckedFormula:
    """Check a formula over the metrics, or raise FormulaError with the place."""
    yields = formulas.ValueKind.YES_NO if metric_type == MetricType.BOOLEAN else formulas.ValueKind.NUMBER
    return formulas.check(text, names=METRICS, yields=yields)


def _words(warning: Any) -> str:
    if warning.code == "missing":
        return _missing(warning.name)
    return _WORDS.get(warning.code, str(warning.code))


def _missing(name: str | None) -> str:
    return f"there is no {name}"


def explanation(formula: str | None, scored: Scored, measured: Measured) -> dict[str, Any]:
    """Keep what explains a value, as JSON can say it; numbers as text, so that they stay exact."""
    said: dict[str, Any] = {"inputs": {name: _plain(value) for name, value in scored.inputs.items()}}
    if formula is not None:
        said["formula"] = formula
    for name, lines in (("warnings", scored.warnings), ("notes", measured.notes)):
        if lines:
            said[name] = list(lines)
    return said


def _plain(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
