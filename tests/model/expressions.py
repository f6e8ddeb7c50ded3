"""Evaluate a formula of pay the slow and obvious way: read it into a tree, walk the tree, exact fractions.

`/` rounds half up to 10 places. A value that is not there makes whatever needs it not there; MIN, MAX and SUM skip it.
Of IF only the branch that is taken is looked at. BRACKET(x, edge, rate, edge, rate, ...) takes from each part of x
above an edge, up to the next one, that edge's rate.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

Value = Fraction | bool | None
Tree = tuple[Any, ...]

TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?%?)|([A-Za-z_]\w*)|(<=|>=|<>|!=|==|=|<|>|[-+*/(),]))")
COMPARISONS = ("<=", ">=", "<>", "!=", "==", "=", "<", ">")


def round_to(exact: Fraction, places: int) -> Fraction:
    """Round to so many places, halves away from zero; below 0, to tens and hundreds."""
    scaled = abs(exact) * Fraction(10) ** places
    whole = scaled.numerator // scaled.denominator
    if scaled - whole >= Fraction(1, 2):
        whole += 1
    return (whole if exact >= 0 else -whole) / Fraction(10) ** places


def divided(above: Fraction, below: Fraction) -> Fraction | None:
    """Divide as formulas do; by zero there is no value."""
    return None if below == 0 else round_to(above / below, 10)


def parse(text: str) -> Tree:
    """Read a formula into a tree; it is trusted to be a right one."""
    tokens = []
    position = 0
    while text[position:].strip():
        found = TOKEN.match(text, position)
        if found is None:
            raise ValueError(f"not a formula from {position}: {text!r}")
        tokens.append(found.group().strip())
        position = found.end()
    tree, rest = read_or(tokens)
    if rest:
        raise ValueError(f"not understood: {' '.join(rest)} in {text!r}")
    return tree


def read_or(tokens: list[str]) -> tuple[Tree, list[str]]:
    left, tokens = read_and(tokens)
    while tokens and tokens[0].lower() == "or":
        right, tokens = read_and(tokens[1:])
        left = ("or", left, right)
    return left, tokens


def read_and(tokens: list[str]) -> tuple[Tree, list[str]]:
    left, tokens = read_not(tokens)
    while tokens and tokens[0].lower() == "and":
        right, tokens = read_not(tokens[1:])
        left = ("and", left, right)
    return left, tokens


def read_not(tokens: list[str]) -> tuple[Tree, list[str]]:
    if tokens and tokens[0].lower() == "not":
        inner, tokens = read_not(tokens[1:])
        return ("not", inner), tokens
    return read_comparison(tokens)


def read_comparison(tokens: list[str]) -> tuple[Tree, list[str]]:
    left, tokens = read_sum(tokens)
    if tokens and tokens[0] in COMPARISONS:
        sign = tokens[0]
        right, tokens = read_sum(tokens[1:])
        left = (sign, left, right)
    return left, tokens


def read_sum(tokens: list[str]) -> tuple[Tree, list[str]]:
    left, tokens = read_product(tokens)
    while tokens and tokens[0] in ("+", "-"):
        sign = tokens[0]
        right, tokens = read_product(tokens[1:])
        left = (sign, left, right)
    return left, tokens


def read_product(tokens: list[str]) -> tuple[Tree, list[str]]:
    left, tokens = read_signed(tokens)
    while tokens and tokens[0] in ("*", "/"):
        sign = tokens[0]
        right, tokens = read_signed(tokens[1:])
        left = (sign, left, right)
    return left, tokens


def read_signed(tokens: list[str]) -> tuple[Tree, list[str]]:
    if tokens and tokens[0] == "-":
        inner, tokens = read_signed(tokens[1:])
        return ("minus", inner), tokens
    return read_smallest(tokens)


def read_smallest(tokens: list[str]) -> tuple[Tree, list[str]]:
    if not tokens:
        raise ValueError("a formula ends too early")
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        inner, rest = read_or(rest)
        return inner, expect(")", rest)
    if first[0].isdigit():
        number = Fraction(first.rstrip("%"))
        return ("number", number / 100 if first.endswith("%") else number), rest
    if rest and rest[0] == "(":
        arguments = []
        one, rest = read_or(rest[1:])
        arguments.append(one)
        while rest and rest[0] == ",":
            one, rest = read_or(rest[1:])
            arguments.append(one)
        return ("call", first.upper(), arguments), expect(")", rest)
    if not (first[0].isalpha() or first[0] == "_"):
        raise ValueError(f"a value is missing before {first!r}")
    return ("name", first), rest


def expect(token: str, tokens: list[str]) -> list[str]:
    if not tokens or tokens[0] != token:
        raise ValueError(f"{token!r} is missing")
    return tokens[1:]


class Evaluation:
    """Evaluate trees, asking `look_up` for names, and note why something has no value."""

    def __init__(self, look_up: Callable[[str], Value]) -> None:
        self.look_up = look_up
        self.warnings: set[str] = set()

    def value(self, tree: Tree) -> Value:
        """Return the value of a tree; None is no value."""
        kind = tree[0]
        if kind == "number":
            return tree[1]
        if kind == "name":
            found = self.look_up(tree[1])
            if found is None:
                self.warnings.add("missing")
            return found
        if kind == "call":
            return self.called(tree[1], tree[2])
        if kind in ("and", "or"):
            return self.either(kind == "or", tree[1], tree[2])
        values = [self.value(part) for part in tree[1:]]
        if any(value is None for value in values):
            return None
        return self.simple(kind, *values)

    def simple(self, kind: str, first: Any, second: Any = None) -> Value:
        """Compute with one or two values that are there."""
        if kind == "/":
            if second == 0:
                self.warnings.add("division_by_zero")
            return divided(first, second)
        doing: dict[str, Callable[[], Value]] = {
            "+": lambda: first + second,
            "-": lambda: first - second,
            "*": lambda: first * second,
            "minus": lambda: -first,
            "not": lambda: not first,
            "<": lambda: first < second,
            "<=": lambda: first <= second,
            ">": lambda: first > second,
            ">=": lambda: first >= second,
            "=": lambda: first == second,
            "==": lambda: first == second,
            "!=": lambda: first != second,
            "<>": lambda: first != second,
        }
        return doing[kind]()

    def either(self, decisive: bool, first: Tree, second: Tree) -> Value:
        """Combine two yes or no; one that decides does so whatever the other is, also if it is not there."""
        values = []
        for part in (first, second):
            value = self.value(part)
            if value is decisive:
                return decisive
            values.append(value)
        return None if None in values else not decisive

    def called(self, name: str, arguments: list[Tree]) -> Value:
        """Compute a function."""
        if name == "IF":
            condition = self.value(arguments[0])
            if condition is None:
                return None
            return self.value(arguments[1] if condition else arguments[2])
        values: list[Any] = [self.value(one) for one in arguments]
        there = [value for value in values if value is not None]
        if name in ("MIN", "MAX"):
            if not there:
                return None
            return min(there) if name == "MIN" else max(there)
        if name == "SUM":
            return sum(there, Fraction(0))
        if len(there) < len(values):
            return None
        if name == "ABS":
            return abs(values[0])
        if name == "FLOOR":
            return Fraction(values[0].__floor__())
        if name == "CEIL":
            return Fraction(values[0].__ceil__())
        if name == "ROUND":
            return round_to(values[0], int(values[1]) if len(values) > 1 else 0)
        if name == "BRACKET":
            return self.bracket(values[0], values[1::2], values[2::2])
        raise ValueError(f"there is no function {name}")

    def bracket(self, amount: Fraction, edges: list[Fraction], rates: list[Fraction]) -> Fraction:
        """Add up what is taken from each part of the amount."""
        total = Fraction(0)
        for number, (edge, rate) in enumerate(zip(edges, rates, strict=True)):
            last = number == len(edges) - 1
            part = (amount if last else min(amount, edges[number + 1])) - edge
            if part > 0:
                total += part * rate
        return total
