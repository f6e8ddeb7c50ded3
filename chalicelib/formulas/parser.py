"""From words to a tree, by precedence climbing: or, and, not, comparison, + -, * /, sign; the later bind tighter."""

import difflib
from collections.abc import Collection
from decimal import Context, Decimal

from chalicelib.formulas.errors import FormulaError
from chalicelib.formulas.functions import FUNCTIONS, KEYWORDS
from chalicelib.formulas.lexer import DIGITS, Sort, Token, tokens
from chalicelib.formulas.tree import Arithmetic, Comparison, FunctionCall, Literal, Logic, Name, Negative, Node, Not

NODES = 300  # numbers, names, signs and functions of one formula
NESTING = 24  # brackets, functions and signs inside each other

_LEVELS = {"or": 1, "and": 2, **dict.fromkeys(("<", "<=", ">", ">=", "=", "<>"), 4), "+": 5, "-": 5, "*": 6, "/": 6}
_NOT, _COMPARISON, _SIGN = 3, 4, 7
_EXACT = Context(prec=DIGITS)


def parse(text: str, names: Collection[str]) -> Node:
    """Read a whole formula that uses no names but these."""
    parser = _Parser(text, names)
    tree = parser.expression(1)
    parser.finish()
    return tree


class _Parser:
    def __init__(self, text: str, names: Collection[str]) -> None:
        self.text = text
        self.names = names
        self.tokens = tokens(text)
        self.at = 0
        self.nodes = 0
        self.nesting = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    @property
    def end(self) -> int:
        """Where the last word taken ends."""
        return self.tokens[self.at - 1].end

    def error(self, detail: str, token: Token | None = None) -> FormulaError:
        return FormulaError(detail, text=self.text, position=(token or self.now).start)

    def take(self) -> Token:
        self.nodes += self.now.text not in ("(", ")", ",")
        if self.nodes > NODES:
            raise self.error(f"This formula is too long: it has more than {NODES} numbers, names and signs.")
        self.at += 1
        return self.tokens[self.at - 1]

    def nested(self, level: int, opener: Token) -> Node:
        """Read what stands one deeper, behind `opener`."""
        if self.nesting == NESTING:
            raise self.error(f"Brackets, functions and signs are nested more than {NESTING} deep here.", opener)
        self.nesting += 1
        node = self.expression(level)
        self.nesting -= 1
        return node

    def expression(self, level: int) -> Node:
        """Read operands and the operators between them that bind at least as tightly as `level`."""
        start = self.now.start
        left = self.operand()
        while (own := _LEVELS.get(self.now.text.lower(), 0)) >= level:
            operator = self.take().text.lower()
            right = self.expression(own + 1)
            if operator in KEYWORDS:
                # A chain is one node; what stood in brackets of its own begins behind them, and stays apart.
                chained = isinstance(left, Logic) and left.word == operator and left.start == start
                before = left.parts if chained else (left,)
                left = Logic(start, self.end, operator, (*before, right))
            elif own == _COMPARISON:
                if _LEVELS.get(self.now.text) == _COMPARISON:
                    raise self.error("Comparisons are not chained; write a < b and b < c.")
                left = Comparison(start, self.end, operator, left, right)
            else:
                left = Arithmetic(start, self.end, operator, left, right)
        return left

    def operand(self) -> Node:
        token = self.now
        if token.sort is Sort.NUMBER:
            self.take()
            places = -2 if token.text.endswith("%") else 0
            return Literal(token.start, token.end, Decimal(token.text.rstrip("%")).scaleb(places, _EXACT))
        if token.sort is Sort.WORD:
            return self.word()
        if token.text == "-":
            node = self.nested(_SIGN, self.take())
            return Negative(token.start, self.end, node)
        if token.text == "(":
            node = self.nested(1, self.take())
            self.close(token)
            return node
        if token.text == "+":
            raise self.error("A number needs no + before it.")
        if token.sort is Sort.END:
            raise self.error("The formula ends here, where a number, a name or a function is expected.")
        raise self.error(f"In place of {token.text} a number, a name or a function is expected.")

    def word(self) -> Node:
        token = self.take()
        word = token.text.lower()
        if word == "not":
            node = self.nested(_NOT, token)
            return Not(token.start, self.end, node)
        if word in KEYWORDS:
            raise self.error(f"Something is missing before {word}; write a {word} b.", token)
        if self.now.text == "(":
            return self.call(token)
        if token.text.upper() in FUNCTIONS:
            usage = FUNCTIONS[token.text.upper()].usage
            raise self.error(f"{token.text.upper()} is a function; write {usage}.", token)
        if token.text not in self.names:
            raise self.error(f"There is no value named {token.text}{_suggest(token.text.lower(), self.names)}", token)
        return Name(token.start, token.end, token.text)

    def call(self, token: Token) -> Node:
        function = token.text.upper()
        if function not in FUNCTIONS:
            if token.text in self.names:
                raise self.error(f"{token.text} is a value, not a function; to multiply, write *", self.now)
            raise self.error(f"There is no function {token.text}{_suggest(function, FUNCTIONS)}", token)
        opener = self.take()
        arguments: list[Node] = []
        most = FUNCTIONS[function].most
        while not arguments or self.now.text == ",":
            if len(arguments) == most:
                few = "one argument" if most == 1 else f"at most {most} arguments"
                raise self.error(f"{function} takes {few}: {FUNCTIONS[function].usage}.")
            arguments.append(self.nested(1, self.take() if arguments else opener))
        self.close(opener)
        if len(arguments) < FUNCTIONS[function].least:
            raise self.error(f"This is too little for {function}: write {FUNCTIONS[function].usage}.", token)
        return FunctionCall(token.start, self.end, function, tuple(arguments))

    def close(self, opener: Token) -> None:
        if self.now.sort is Sort.END:
            raise self.error("This bracket is never closed.", opener)
        if self.now.text != ")":
            raise self.error(self.unexpected())
        self.take()

    def finish(self) -> None:
        if self.now.sort is not Sort.END:
            raise self.error(self.unexpected())

    def unexpected(self) -> str:
        match self.now.text:
            case ")":
                return "This bracket closes nothing."
            case ",":
                return (
                    "A comma only stands between the arguments of a function; decimals have a point, thousands nothing."
                )
        return f"Before {self.now.text} an operator is missing, such as + or *."


def _suggest(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else "."
