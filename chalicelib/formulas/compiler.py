"""Formulas become one Python function, computed in order. This is the only evaluator there is.

The source is written from the typed trees alone: variables are v0, v1, ..., numbers and everything else are constants
of the function's namespace. No character of a formula reaches it, and it runs without builtins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, getcontext
from typing import Any, NamedTuple

from chalicelib.formulas import arithmetic
from chalicelib.formulas.arithmetic import zero_of
from chalicelib.formulas.check import CheckedFormula
from chalicelib.formulas.emitter import Emitter
from chalicelib.formulas.error_messages import blame
from chalicelib.formulas.tree import ValueKind


class Warning(NamedTuple):  # noqa: A001 - it is what a line of a payslip calls it; the builtin is not used in this room
    """Why a step has no value, or not the one its formula gave."""

    step: str
    code: str  # missing, division_by_zero, too_large, below
    name: str | None = None  # of the input or step without value, if that is why


@dataclass(frozen=True, slots=True)
class FormulaStep:
    """A formula to be computed under a name that later steps may use."""

    name: str
    formula: CheckedFormula
    places: int | None = None  # rounded to, halves away from zero
    at_least: Decimal | None = None  # what is below counts as this, with a warning


Values = Sequence[Decimal | None]
Program = Callable[[Values, Values], tuple[list[Decimal | None], list[Warning]]]


def compile_steps(inputs: Sequence[str], steps: Sequence[FormulaStep]) -> Program:
    """Make one function of all steps; call it inside `exactly()`.

    It takes the values of the inputs, and for each step None, or a value that stands in the place of its formula.
    """
    emitter = Emitter()
    known = {name: f"v{number}" for number, name in enumerate(inputs)}
    overrides = [f"g{number}" for number in range(len(steps))]
    body = emitter.writer
    body.line(f"[{', '.join(known.values())}] = values")
    body.line(f"[{', '.join(overrides)}] = overrides")
    results = []
    for number, step in enumerate(steps):
        if step.formula.kind is not ValueKind.NUMBER:
            raise ValueError(f"{step.name} gives yes or no, which is not an amount.")
        if step.name in known:
            raise ValueError(f"{step.name} is there twice.")
        if unknown := step.formula.uses - known.keys():
            raise ValueError(f"{step.name} uses {', '.join(sorted(unknown))}, which nothing before it gives.")
        result = f"r{number}"
        _write(emitter, step, known, override=overrides[number], result=result)
        known[step.name] = result
        results.append(result)
    body.line(f"return [{', '.join(results)}], unique(warnings)")
    return build(emitter, "values, overrides")


def build(emitter: Emitter, parameters: str) -> Callable[..., Any]:
    """Turn what was emitted into a function."""
    head = [
        f"def program({parameters}):",
        " if getcontext().prec != PRECISION: refuse()",
        " warnings = []; warn = warnings.append",  # which gives None, as is needed where it stands for a value
    ]
    source = "\n".join([*head, *emitter.writer.lines])
    namespace: dict[str, Any] = {
        "__builtins__": {},
        "getcontext": getcontext,
        "refuse": _refuse,
        "unique": _unique,
        **{name: getattr(arithmetic, name) for name in arithmetic.PUBLIC},
        **emitter.writer.constants,
    }
    exec(compile(source, "<formulas>", "exec"), namespace)  # noqa: S102 - source of our own making, see above
    program: Program = namespace["program"]
    return program


def _write(emitter: Emitter, step: FormulaStep, known: dict[str, str], *, override: str, result: str) -> None:
    body = emitter.writer
    emitter.begin(known, lambda code, name: body.constant(Warning(step.name, code, name)))
    body.line(f"if {override} is None:")
    with body.deeper():
        value = emitter.value(step.formula.tree)
        body.line(f"{result} = {value}")
        blame(emitter, step.formula.tree)
    body.line(f"else: {result} = {override}")
    body.line(f"if {result} is not None:")
    with body.deeper():
        if step.places is None:
            emitter.attempt(result, f"{result} + ZERO")  # an override has to fit, too
        else:
            emitter.rounded(result, result, places=step.places)
        if step.at_least is not None:
            least = body.constant(step.at_least + zero_of(step.places or 0))
            body.line(f"if {result} is not None and {result} < {least}:")
            with body.deeper():
                body.line(f"{result} = {least}")
                emitter.warn("below")


def _unique(warnings: list[Warning]) -> list[Warning]:
    return list(dict.fromkeys(warnings)) if warnings else warnings


def _refuse() -> None:
    raise RuntimeError("Formulas are computed inside `with formulas.exactly():`.")
