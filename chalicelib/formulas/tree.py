"""A formula as a tree. Every node knows which part of the text it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class ValueKind(StrEnum):
    """What an expression gives."""

    NUMBER = "a number"
    YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula: text[start:end], without brackets around it."""

    start: int
    end: int

    @property
    def parts(self) -> "tuple[Node, ...]":
        return ()


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number as written; 15% is 0.15."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A value that is handed in, or the result of another formula."""

    name: str


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """Negation: -a."""

    operand: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """Arithmetic: a + b, a - b, a * b, a / b."""

    sign: str
    left: Node
    right: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """Comparison: a < b and its like."""

    sign: str
    left: Node
    right: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Negation of a condition: not a."""

    operand: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Conjunction or disjunction: a and b and c; a or b or c."""

    word: str
    operands: tuple[Node, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        return self.operands


@dataclass(frozen=True, slots=True)
class FunctionCall(Node):
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        return self.arguments


def walk(node: Node) -> Iterator[Node]:
    """Return a tree's nodes, each before its parts."""
    left = [node]
    while left:
        node = left.pop()
        yield node
        left.extend(reversed(node.parts))
