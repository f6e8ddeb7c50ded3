"""From a tree to lines of Python, one for each operation. A value is a Decimal, a bool, or None where there is none."""

from collections.abc import Callable
from decimal import Decimal

from chalicelib.formulas.arithmetic import brackets_of, zero_of
from chalicelib.formulas.source_text import Writer
from chalicelib.formulas.tree import Arithmetic, Comparison, FunctionCall, Literal, Logic, Name, Negative, Node, Not
from chalicelib.formulas.typing_rules import whole

_PYTHON = {"=": "==", "<>": "!="}
_SIMPLE = {"FLOOR": "floor({})", "CEIL": "ceiling({})", "ABS": "{}.__abs__()"}


class Emitter:
    """Writes formulas, each between `begin` and the next; `watch` may write something behind each value."""

    def __init__(self, watch: Callable[[Node, str], None] | None = None) -> None:
        self.watch = watch
        self.writer = Writer()
        self.known: dict[str, str] = {}
        self.warning: Callable[[str, str | None], str]
        self.values: dict[int, str] = {}  # id of a node -> where its value is

    def begin(self, known: dict[str, str], warning: Callable[[str, str | None], str]) -> None:
        """Begin a formula, with the variables of its names and the constants of its warnings."""
        self.known, self.warning, self.values = known, warning, {}

    def warn(self, code: str, name: str | None = None) -> None:
        """Write the line that records a warning."""
        self.writer.line(f"warn({self.warning(code, name)})")

    def attempt(self, variable: str, expression: str) -> None:
        """Write an exact computation, which may not fit."""
        self.writer.line(f"try: {variable} = {expression}")
        self.writer.line(f"except BEYOND: {variable} = warn({self.warning('too_large', None)})")

    def value(self, node: Node) -> str:
        """Write the computation of a node and give the variable that has its value."""
        match node:
            case Literal(value=value):
                variable = self.writer.constant(value)
            case Name(name=name):
                variable = self.known[name]
            case FunctionCall(function="IF", arguments=(condition, first, second)):
                variable = self.conditional(condition, first, second)
            case Logic(word=word, operands=operands):
                variable = self.logic(operands, over=word == "or")
            case FunctionCall(function="MIN" | "MAX" as function, arguments=arguments):
                variable = self.extreme(arguments, "<" if function == "MIN" else ">")
            case FunctionCall(function="SUM", arguments=arguments):
                variables = [self.value(argument) for argument in arguments]
                variable = self.writer.variable()
                self.attempt(variable, f"total({', '.join(variables)})")
            case _:
                variable = self.strict(node)
        self.values[id(node)] = variable
        if self.watch:
            self.watch(node, variable)
        return variable

    def strict(self, node: Node) -> str:
        """Write an operation that has a value only if all its operands have."""
        writer = self.writer
        operands = [self.value(part) for part in node.parts]
        variable = writer.variable()
        writer.line(f"{variable} = None")
        unsure = [name for name, part in zip(operands, node.parts, strict=True) if not isinstance(part, Literal)]
        writer.line(f"if {' and '.join(f'{name} is not None' for name in unsure) or '1'}:")
        with writer.deeper():
            self.operation(node, operands, variable)
        return variable

    def operation(self, node: Node, operands: list[str], variable: str) -> None:
        match node:
            case Negative():
                self.attempt(variable, f"-{operands[0]}")
            case Not():
                self.writer.line(f"{variable} = not {operands[0]}")
            case Comparison(sign=sign):
                self.writer.line(f"{variable} = {operands[0]} {_PYTHON.get(sign, sign)} {operands[1]}")
            case Arithmetic(sign="/"):
                self.writer.line(f"if {operands[1]}:")
                with self.writer.deeper():
                    self.attempt(
                        variable, f"cut_off({operands[0]}, {operands[1]}).quantize(TENTH_PLACE, HALF_UP, ROUNDING)"
                    )
                self.writer.line(f"else: warn({self.warning('division_by_zero', None)})")
            case Arithmetic(sign=sign):
                self.attempt(variable, f"{operands[0]} {sign} {operands[1]}")
            case FunctionCall(function="ROUND", arguments=arguments):
                self.rounded(variable, operands[0], places=(whole(arguments[1]) or 0) if len(arguments) == 2 else 0)
            case FunctionCall(function="BRACKET", arguments=arguments):
                self.bracket(variable, operands[0], [part.value for part in arguments[1:] if isinstance(part, Literal)])
            case FunctionCall(function=function):
                self.attempt(variable, _SIMPLE[function].format(operands[0]))

    def rounded(self, variable: str, value: str, *, places: int) -> None:
        """Write a rounding; a zero comes out without a sign, and tens without an exponent."""
        unit = Decimal(1).scaleb(-places)
        tens = " + ZERO" if places < 0 else ""
        self.attempt(variable, f"{value}.quantize({self.writer.constant(unit)}, HALF_UP, ROUNDING){tens}")
        self.writer.line(f"else: {variable} = {variable} or {self.writer.constant(zero_of(max(places, 0)))}")

    def bracket(self, variable: str, amount: str, numbers: list[Decimal]) -> None:
        """Write a comparison for each threshold, the highest first."""
        for number, (threshold, below, rate) in enumerate(brackets_of(numbers[::2], numbers[1::2])):
            at, base, part = (self.writer.constant(value) for value in (threshold, below, rate))
            self.writer.line(f"{'elif' if number else 'if'} {amount} > {at}:")
            with self.writer.deeper():
                self.attempt(variable, f"{base} + ({amount} - {at}) * {part}")
        self.writer.line(f"else: {variable} = ZERO")

    def conditional(self, condition: Node, first: Node, second: Node) -> str:
        writer = self.writer
        decided = self.value(condition)
        variable = writer.variable()
        writer.line(f"if {decided}:")
        with writer.deeper():
            writer.line(f"{variable} = {self.value(first)}")
        writer.line(f"elif {decided} is not None:")
        with writer.deeper():
            writer.line(f"{variable} = {self.value(second)}")
        writer.line(f"else: {variable} = None")
        return variable

    def logic(self, operands: tuple[Node, ...], *, over: bool) -> str:
        """Write and/or: one operand that is `over` decides, even beside missing ones, and ends it."""
        writer = self.writer
        first = self.value(operands[0])
        variable = writer.variable()
        writer.line(f"{variable} = {first}")
        for operand in operands[1:]:
            writer.line(f"if {variable} is not {over}:")
            with writer.deeper():
                then = self.value(operand)
                writer.line(f"if {then} is not {not over}: {variable} = {then}")
        return variable

    def extreme(self, arguments: tuple[Node, ...], sign: str) -> str:
        writer = self.writer
        variables = [self.value(argument) for argument in arguments]
        variable = writer.variable()
        writer.line(f"{variable} = {variables[0]}")
        for other in variables[1:]:
            condition = f"{other} is not None and ({variable} is None or {other} {sign} {variable})"
            writer.line(f"if {condition}: {variable} = {other}")
        return variable
