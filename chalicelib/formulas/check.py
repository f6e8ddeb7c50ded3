"""A formula is checked once, when it is saved or read; from then on it cannot fail for what it says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from chalicelib.formulas.errors import FormulaError
from chalicelib.formulas.parser import parse
from chalicelib.formulas.tree import FunctionCall, Name, Node, ValueKind, walk
from chalicelib.formulas.typing_rules import kind_of


@dataclass(frozen=True, slots=True)
class CheckedFormula:
    """A formula that is right: its text, the names it uses, and its tree."""

    text: str
    uses: frozenset[str]
    kind: ValueKind
    tree: Node = field(repr=False, compare=False)


def check(text: str, *, names: Collection[str], yields: ValueKind = ValueKind.NUMBER) -> CheckedFormula:
    """Read a formula that may use these names, or raise FormulaError saying what is wrong and where."""
    tree = parse(text, names)
    kind = kind_of(tree, text)
    if kind is not yields:
        raise FormulaError(f"The result must be {yields}, and this is {kind}.", text=text, position=tree.start)
    return CheckedFormula(text, frozenset(node.name for node in walk(tree) if isinstance(node, Name)), kind, tree)


def sum_of(names: Sequence[str]) -> CheckedFormula:
    """Make the formula that sums these names, however many: the bounds are for what people write."""
    parts = tuple(Name(0, 0, name) for name in names)
    return CheckedFormula(
        f"SUM({', '.join(names)})", frozenset(names), ValueKind.NUMBER, FunctionCall(0, 0, "SUM", parts)
    )
