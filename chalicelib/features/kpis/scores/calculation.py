"""Scoring: a value from measured numbers by a definition. The nightly job and the preview both compute by this."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from chalicelib import formulas
from chalicelib.features.kpis.rules import METRICS, Measurement, MetricType, ScoredValue, Source, ValueSource

Explanation = dict[str, Any]  # kpi_scores.explanation: inputs, formula, warnings, notes
_VALUE = "value"  # what the one step of a program is called
_WORDS = {
    "division_by_zero": "the formula divides by zero",
    "too_large": "the formula comes to a number too large to keep",
}


class Scorer:
    """A definition, compiled once to score any number of employees.

    A formula of a boolean KPI says yes or no, and its value is 1 or 0. Raises FormulaError for a wrong one.
    """

    def __init__(self, definition: ValueSource) -> None:
        self.formula: formulas.CheckedFormula | None = None
        if definition.source == Source.FORMULA and definition.formula is not None:
            self.formula = check_formula(definition.formula, metric_type=definition.metric_type)
            self.names = sorted(self.formula.uses)
            counted = self.formula
            if definition.metric_type == MetricType.BOOLEAN:
                counted = formulas.check(f"IF({self.formula.text}, 1, 0)", names=METRICS)
            self._program = formulas.compile_steps(self.names, [formulas.FormulaStep(_VALUE, counted)])
        elif definition.metric is not None:
            self.names = [definition.metric]

    def score(self, measured: Measurement) -> ScoredValue:
        """Score one employee; called inside `formulas.exactly()`."""
        values = [measured.values[name] for name in self.names]
        inputs = dict(zip(self.names, values, strict=True))
        if self.formula is None:
            return ScoredValue(values[0], inputs, [_explain_missing(self.names[0])] if values[0] is None else [])
        [value], warnings = self._program(values, [None])
        return ScoredValue(value, inputs, [_explain_warning(one) for one in warnings])

    def trace(self, measured: Measurement) -> Sequence[formulas.TracedPart]:
        """Return each part of the formula with its value, innermost first; called like `score`."""
        if self.formula is None:
            return []
        return formulas.trace(self.formula, {name: measured.values[name] for name in self.names})


def check_formula(text: str, *, metric_type: str) -> formulas.CheckedFormula:
    """Check a formula over the metrics. Raises FormulaError with the place."""
    yields = formulas.ValueKind.YES_NO if metric_type == MetricType.BOOLEAN else formulas.ValueKind.NUMBER
    return formulas.check(text, names=METRICS, yields=yields)


def _explain_warning(warning: Any) -> str:
    if warning.code == "missing":
        return _explain_missing(warning.name)
    return _WORDS.get(warning.code, str(warning.code))


def _explain_missing(name: str | None) -> str:
    return f"there is no {name}"


def explain(formula: str | None, scored: ScoredValue, measured: Measurement) -> Explanation:
    """Return what explains a value, for JSON; numbers as text, so that they stay exact."""
    document: Explanation = {"inputs": {name: _format_exactly(value) for name, value in scored.inputs.items()}}
    if formula is not None:
        document["formula"] = formula
    for name, lines in (("warnings", scored.warnings), ("notes", measured.notes)):
        if lines:
            document[name] = list(lines)
    return document


def _format_exactly(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
