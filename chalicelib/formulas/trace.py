"""How a formula came to its value, step by step: what a preview shows."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from chalicelib.formulas.arithmetic import exactly
from chalicelib.formulas.check import CheckedFormula
from chalicelib.formulas.compiler import build
from chalicelib.formulas.emitter import Emitter
from chalicelib.formulas.tree import Literal, Name, Node


class TracedPart(NamedTuple):
    """A part of a formula, as written, and what it gave."""

    expression: str
    value: Decimal | bool | None
    warning: str | None  # missing, division_by_zero, too_large: why this part has no value; None if parts of it say why


def trace(formula: CheckedFormula, values: Mapping[str, Decimal | None]) -> list[TracedPart]:
    """Evaluate a formula and return every part that was computed, innermost first, the whole last.

    It runs the code that programs run, from the same compiler, with a line that records each value added. What was
    not computed (the other side of an IF) is left out, and so are plain numbers and what was there already.
    """
    nodes: list[Node] = []
    parts: dict[str, TracedPart] = {}
    seen_warnings = 0

    def record(number: int, value: Decimal | bool | None, warnings: list[str]) -> None:
        nonlocal seen_warnings
        node = nodes[number]
        warning = "missing" if isinstance(node, Name) and value is None else "".join(warnings[seen_warnings:]) or None
        seen_warnings = len(warnings)
        if isinstance(value, Decimal) and not value:
            value = Decimal(0)  # without a sign or places
        expression = " ".join(formula.text[node.start : node.end].split())
        parts.setdefault(expression, TracedPart(expression, value, warning))

    def watch(node: Node, variable: str) -> None:
        if node is formula.tree or not isinstance(node, Literal):
            emitter.writer.line(f"record({len(nodes)}, {variable}, warnings)")
            nodes.append(node)

    emitter = Emitter(watch)
    names = sorted(formula.uses)
    variables = [f"v{number}" for number in range(len(names))]
    emitter.begin(dict(zip(names, variables, strict=True)), lambda code, _name: emitter.writer.constant(code))
    emitter.writer.line(f"[{', '.join(variables)}] = values")
    emitter.value(formula.tree)
    program = build(emitter, "values, record")
    with exactly():
        program([values[name] for name in names], record)
    return list(parts.values())
