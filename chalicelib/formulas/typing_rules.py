"""What fits together: numbers with numbers, yes/no with yes/no, plain numbers where a function needs them."""

from decimal import Decimal
from typing import NoReturn

from chalicelib.formulas.arithmetic import BEYOND, brackets_of
from chalicelib.formulas.errors import FormulaError
from chalicelib.formulas.functions import FUNCTIONS, PLACES
from chalicelib.formulas.tree import (
    Arithmetic,
    Comparison,
    FunctionCall,
    Literal,
    Logic,
    Negative,
    Node,
    Not,
    ValueKind,
)


def kind_of(node: Node, text: str) -> ValueKind:
    """Check a tree and return its kind of value."""
    match node:
        case Negative(operand=operand):
            _need(operand, ValueKind.NUMBER, "-", text)
        case Arithmetic(sign=sign, left=left, right=right):
            _need(left, ValueKind.NUMBER, sign, text)
            _need(right, ValueKind.NUMBER, sign, text)
        case Comparison(sign=sign, left=left, right=right):
            _need(left, ValueKind.NUMBER, sign, text)
            _need(right, ValueKind.NUMBER, sign, text)
            return ValueKind.YES_NO
        case Not(operand=operand):
            _need(operand, ValueKind.YES_NO, "not", text)
            return ValueKind.YES_NO
        case Logic(word=word, operands=operands):
            for operand in operands:
                _need(operand, ValueKind.YES_NO, word, text)
            return ValueKind.YES_NO
        case FunctionCall(function="IF", arguments=(condition, first, second)):
            _need(condition, ValueKind.YES_NO, "The condition of IF", text)
            kind = kind_of(first, text)
            if kind_of(second, text) is not kind:
                _refuse("Both results of IF are numbers or both are yes/no; here they are mixed.", second, text)
            return kind
        case FunctionCall(function=function, arguments=arguments):
            for argument in arguments:
                _need(argument, ValueKind.NUMBER, function, text)
            if function == "ROUND" and len(arguments) == 2:
                _places(arguments[1], text)
            if function == "BRACKET":
                _brackets(arguments, text)
    return ValueKind.NUMBER


def _need(node: Node, kind: ValueKind, by: str, text: str) -> None:
    if kind_of(node, text) is not kind:
        actual = ValueKind.YES_NO if kind is ValueKind.NUMBER else ValueKind.NUMBER
        _refuse(f"{by} needs {kind} here, and this is {actual}.", node, text)


def _places(node: Node, text: str) -> None:
    if whole(node) is None:
        _refuse(f"The places of ROUND are a plain whole number from -{PLACES} to {PLACES}.", node, text)


def whole(node: Node) -> int | None:
    """Read a plain whole number, if it is one that ROUND takes as its places."""
    match node:
        case Literal(value=value) if value == int(value) <= PLACES:
            return int(value)
        case Negative(operand=Literal(value=value)) if value == int(value) <= PLACES:
            return -int(value)
    return None


def _brackets(arguments: tuple[Node, ...], text: str) -> None:
    usage = FUNCTIONS["BRACKET"].usage
    if len(arguments) % 2 == 0:
        _refuse(f"This threshold has no rate; write {usage}.", arguments[-1], text)
    last = Decimal(-1)
    for threshold, rate in zip(arguments[1::2], arguments[2::2], strict=True):
        if not isinstance(threshold, Literal):
            _refuse("A threshold of BRACKET is a plain number, such as 25000.", threshold, text)
        if threshold.value <= last:
            _refuse("The thresholds of BRACKET ascend; this one is not above the one before it.", threshold, text)
        if not isinstance(rate, Literal):
            _refuse("A rate of BRACKET is a plain number, such as 10%.", rate, text)
        if rate.value > 1:
            _refuse("A rate of BRACKET is at most 100%; ten percent is 10% or 0.1.", rate, text)
        last = threshold.value
    numbers = [part.value for part in arguments[1:] if isinstance(part, Literal)]
    try:
        brackets_of(numbers[::2], numbers[1::2])
    except BEYOND:
        _refuse("The numbers of BRACKET have more digits than can be computed exactly.", arguments[1], text)


def _refuse(detail: str, node: Node, text: str) -> NoReturn:
    raise FormulaError(detail, text=text, position=node.start)
