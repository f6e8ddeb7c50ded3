"""The formula language once more, slow and obvious: on exact fractions, from a tree of its own.

It shares nothing with the product: neither its parser, nor its tree, nor its decimals. A node is a tuple that begins
with what it is; a result is a value (a Fraction, a bool, or None) and the names whose absence left it without one.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

DIGITS = 60
HALF = Fraction(1, 2)


def fits(value: Fraction) -> bool:
    """Return whether a number has at most 60 digits, none beyond the 59th place, and is below 10^60."""
    units = abs(value) * 10 ** (DIGITS - 1)
    if units.denominator != 1 or abs(value) >= 10**DIGITS:
        return False
    digits = units.numerator
    while digits and digits % 10 == 0:
        digits //= 10
    return digits < 10**DIGITS


def rounded(value: Fraction, places: int) -> Fraction:
    """Round halves away from zero."""
    scaled = abs(value) * Fraction(10) ** places
    whole = math.floor(scaled + HALF)
    return (1 if value >= 0 else -1) * whole / Fraction(10) ** places


@dataclass
class Result:
    """What a node gave, and whom to blame if it is nothing."""

    value: Any
    missing: frozenset[str] = frozenset()


@dataclass
class Model:
    """One formula's evaluation: the values it sees, and what went wrong."""

    values: dict[str, Fraction | None]
    codes: set[str] = field(default_factory=set)

    def of(self, node: tuple) -> Result:
        """Evaluate a node."""
        kind, *rest = node
        return getattr(self, f"_{kind}")(*rest)

    def fit(self, value: Fraction) -> Fraction | None:
        if fits(value):
            return value
        self.codes.add("too_large")
        return None

    def fit_places(self, value: Fraction, places: int) -> Fraction | None:
        """Let a number pass that has room for so many places."""
        if abs(value) * Fraction(10) ** max(places, 0) >= 10**DIGITS:
            self.codes.add("too_large")
            return None
        return value

    def strict(self, *nodes: tuple) -> tuple[list[Any], Result | None]:
        """Evaluate operands all of which are needed."""
        results = [self.of(node) for node in nodes]
        if any(result.value is None for result in results):
            return [], Result(None, frozenset().union(*(result.missing for result in results)))
        return [result.value for result in results], None

    def _number(self, _text: str, value: Fraction) -> Result:
        return Result(value)

    def _name(self, name: str) -> Result:
        value = self.values[name]
        return Result(value, frozenset([name]) if value is None else frozenset())

    def _negative(self, operand: tuple) -> Result:
        values, without = self.strict(operand)
        return without or Result(self.fit(-values[0]))

    def _binary(self, sign: str, left: tuple, right: tuple) -> Result:
        values, without = self.strict(left, right)
        if without:
            return without
        a, b = values
        if sign == "/":
            if b == 0:
                self.codes.add("division_by_zero")
                return Result(None)
            return Result(self.fit_places(rounded(a / b, 10), 10))
        return Result(self.fit({"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b}[sign]()))

    def _compare(self, sign: str, left: tuple, right: tuple) -> Result:
        values, without = self.strict(left, right)
        if without:
            return without
        a, b = values
        return Result({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "=": a == b, "<>": a != b}[sign])

    def _not(self, operand: tuple) -> Result:
        values, without = self.strict(operand)
        return without or Result(not values[0])

    def _logic(self, word: str, parts: list[tuple]) -> Result:
        ends = word == "or"
        missing: frozenset[str] = frozenset()
        unknown = False
        for part in parts:
            result = self.of(part)
            if result.value is ends:
                return Result(ends)
            unknown = unknown or result.value is None
            missing |= result.missing
        return Result(None, missing) if unknown else Result(not ends)

    def _if(self, condition: tuple, first: tuple, second: tuple) -> Result:
        decided = self.of(condition)
        if decided.value is None:
            return decided
        return self.of(first if decided.value else second)

    def _extreme(self, function: str, parts: list[tuple]) -> Result:
        results = [self.of(part) for part in parts]
        values = [result.value for result in results if result.value is not None]
        if not values:
            return Result(None, frozenset().union(*(result.missing for result in results)))
        return Result(min(values) if function == "MIN" else max(values))

    def _sum(self, parts: list[tuple]) -> Result:
        total: Fraction | None = Fraction(0)
        for value in [self.of(part).value for part in parts]:
            if value is not None and total is not None:
                total = self.fit(total + value)
        return Result(total)

    def _round(self, operand: tuple, places: int) -> Result:
        values, without = self.strict(operand)
        return without or Result(self.fit_places(rounded(values[0], places), places))

    def _whole(self, function: str, operand: tuple) -> Result:
        values, without = self.strict(operand)
        return without or Result(Fraction({"FLOOR": math.floor, "CEIL": math.ceil}[function](values[0])))

    def _abs(self, operand: tuple) -> Result:
        values, without = self.strict(operand)
        return without or Result(self.fit(abs(values[0])))

    def _bracket(self, amount: tuple, brackets: list[tuple[tuple, tuple]]) -> Result:
        values, without = self.strict(amount)
        if without:
            return without
        numbers = [(threshold[2], rate[2]) for threshold, rate in brackets]
        tax = Fraction(0)
        over = [pair for pair in numbers if values[0] > pair[0]]
        for number, (threshold, rate) in enumerate(over):
            upto = over[number + 1][0] if number + 1 < len(over) else values[0]
            tax += (upto - threshold) * rate
        if over:  # what is computed on the way has to fit as well
            above = values[0] - over[-1][0]
            if not fits(above) or not fits(above * over[-1][1]):
                self.codes.add("too_large")
                return Result(None)
        return Result(self.fit(tax))


def step(
    tree: tuple,
    values: dict[str, Fraction | None],
    *,
    given: Fraction | None = None,
    places: int | None = None,
    at_least: Fraction | None = None,
) -> tuple[Fraction | None, set[tuple[str, str | None]]]:
    """Compute one step: its value, and its warnings as (code, name)."""
    model = Model(values)
    result = Result(given) if given is not None else model.of(tree)
    warnings: set[tuple[str, str | None]] = set()
    value = result.value
    if value is None:
        warnings |= {("missing", name) for name in result.missing}
    else:
        value = model.fit(value) if places is None else model.fit_places(rounded(value, places), places)
    if value is not None and at_least is not None and value < at_least:
        value = at_least
        warnings.add(("below", None))
    return value, warnings | {(code, None) for code in model.codes}
