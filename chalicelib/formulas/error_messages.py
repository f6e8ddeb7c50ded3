"""Who is to blame: the names without value that left a formula without one, as warnings."""

from chalicelib.formulas.emitter import Emitter
from chalicelib.formulas.tree import Arithmetic, Comparison, FunctionCall, Logic, Name, Negative, Node, Not, walk


def blame(emitter: Emitter, node: Node) -> None:
    """Write the warnings for the names that left a node without value, where it has none.

    What was skipped (by MIN, MAX, SUM, by `false and`) or not computed at all is not to blame.
    """
    line = emitter.writer.line
    match node:
        case Name(name=name):
            line(f"if {emitter.values[id(node)]} is None: warn({emitter.warning('missing', name)})")
        case Negative() | Not() | Arithmetic() | Comparison():
            # Without value if any operand is, so the operands say it all; chains of them do not indent the code.
            for part in node.parts:
                blame(emitter, part)
        case Logic() | FunctionCall() if _may_miss(node):
            line(f"if {emitter.values[id(node)]} is None:")
            with emitter.writer.deeper():
                _reasons(emitter, node)


def _may_miss(node: Node) -> bool:
    return any(isinstance(part, Name) for part in walk(node))


def _reasons(emitter: Emitter, node: Node) -> None:
    writer = emitter.writer
    match node:
        case FunctionCall(function="IF", arguments=(condition, first, second)):
            decided = emitter.values[id(condition)]
            for reason, part in (("is None", condition), ("is True", first), ("is False", second)):
                if _may_miss(part):
                    writer.line(f"if {decided} {reason}:")
                    with writer.deeper():
                        blame(emitter, part)
        case FunctionCall(function="SUM"):
            writer.line("pass")  # skips what is missing; it is without value only if it does not fit
        case _:
            for part in node.parts:
                blame(emitter, part)
