"""Formulas at random: trees for the model with their text, and texts that are wrong on purpose."""

from decimal import Decimal
from fractions import Fraction
from random import Random

NAMES = ["base_salary", "earned_salary", "ot_hours", "kpi_score", "a", "b2", "late_count", "min_wage"]
OR, AND, NOT, COMPARE, ADD, MULTIPLY, SIGN, ATOM = range(1, 9)  # from the loosest to the tightest
SIGNS = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY}


class Trees:
    """Makes one well-formed tree after the other; `left` bounds how much it may still add."""

    def __init__(self, chance: Random, names: list[str]) -> None:
        self.chance, self.names, self.left = chance, names, chance.choice((2, 4, 8, 16, 40))

    def number(self, depth: int = 5) -> tuple:
        """Make what gives a number."""
        self.left -= 1
        chance = self.chance
        if depth == 0 or self.left < 0 or chance.random() < 0.15:
            return ("name", chance.choice(self.names)) if chance.random() < 0.65 else literal(chance)
        below = depth - 1
        match chance.randrange(16):
            case 0 | 1 | 2 | 3 | 4 | 5:
                return ("binary", chance.choice("+-*/+-*/"), self.number(below), self.number(below))
            case 6:
                return ("negative", self.number(below))
            case 7 | 8 | 9:
                return ("if", self.yes_no(below), self.number(below), self.number(below))
            case 10 | 11:
                return ("extreme", chance.choice(("MIN", "MAX")), self.several(below))
            case 12:
                return ("sum", self.several(below))
            case 13:
                return ("round", self.number(below), chance.choice((0, 0, 2, 4, 10, -2, -10)))
            case 14:
                if chance.random() < 0.3:
                    return ("abs", self.number(below))
                return ("whole", chance.choice(("FLOOR", "CEIL")), self.number(below))
        return ("bracket", self.number(below), brackets(chance))

    def several(self, depth: int) -> list[tuple]:
        return [self.number(depth) for _ in range(self.chance.randrange(1, 5))]

    def yes_no(self, depth: int) -> tuple:
        """Make what gives yes or no."""
        self.left -= 1
        chance = self.chance
        below = depth - 1
        if depth <= 1 or self.left < 0 or chance.random() < 0.5:
            sign = chance.choice(("<", "<=", ">", ">=", "=", "<>"))
            return ("compare", sign, self.number(max(below, 0)), self.number(max(below, 0)))
        match chance.randrange(5):
            case 0:
                return ("not", self.yes_no(below))
            case 1:
                return ("if", self.yes_no(below), self.yes_no(below), self.yes_no(below))
        word = chance.choice(("and", "or"))
        return ("logic", word, [self.yes_no(below) for _ in range(chance.randrange(2, 4))])


def literal(chance: Random, digits: int | None = None) -> tuple:
    """Make a number of at most 20 digits, perhaps a percentage."""
    digits = digits or chance.choice((1, 1, 2, 3, 5, 8, 20))
    whole = chance.randrange(digits + 1)
    text = str(chance.randrange(10**whole))
    if (places := digits - max(whole, 1)) > 0:
        text += f".{chance.randrange(10**places):0{places}d}"
    if chance.random() < 0.2:
        return ("number", f"{text}%", Fraction(text) / 100)
    return ("number", text, Fraction(text))


def brackets(chance: Random) -> list[tuple[tuple, tuple]]:
    thresholds = {found[2]: found for found in (literal(chance, 5) for _ in range(chance.randrange(1, 6)))}
    rates = [("number", f"{rate}%", Fraction(rate) / 100) for rate in ("0", "5", "12.5", "100", "33.333")]
    return [(thresholds[value], chance.choice(rates)) for value in sorted(thresholds)]


class Writing:
    """Writes a tree as a user might: brackets where they are needed and elsewhere, spaces and capitals at will."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def text(self, node: tuple, at_least: int = OR) -> str:
        """Write a node where nothing looser than `at_least` may stand."""
        text, level = self._plain(node)
        if level < at_least or self.chance.random() < 0.06:
            text = f"({self.gap()}{text}{self.gap()})"
        return text

    def gap(self) -> str:
        return self.chance.choice(("", "", "", " ", " ", "\n", "\t "))

    def _case(self, word: str) -> str:
        return self.chance.choice((word, word, word.lower(), word.upper(), word.title()))

    def _call(self, function: str, arguments: list[str]) -> str:
        between = f"{self.gap()},{self.gap()}"
        return f"{self._case(function)}{self.gap()}({self.gap()}{between.join(arguments)}{self.gap()})"

    def _plain(self, node: tuple) -> tuple[str, int]:
        match node:
            case ("number", text, _) | ("name", text):
                return text, ATOM
            case ("negative", operand):
                return f"-{self.gap()}{self.text(operand, SIGN)}", SIGN
            case ("binary", sign, left, right):
                level = SIGNS[sign]
                texts = self.text(left, level), self.text(right, level + 1)
                return f"{texts[0]}{self.gap()}{sign}{self.gap()}{texts[1]}", level
            case ("compare", sign, left, right):
                return f"{self.text(left, ADD)}{self.gap()}{sign}{self.gap()}{self.text(right, ADD)}", COMPARE
            case ("not", operand):
                return f"{self._case('not')} {self.text(operand, NOT)}", NOT
            case ("logic", word, parts):
                level = OR if word == "or" else AND
                return f" {self._case(word)} ".join(self.text(part, level + 1) for part in parts), level
            case ("if", condition, first, second):
                return self._call("IF", [self.text(part) for part in (condition, first, second)]), ATOM
            case ("extreme" | "whole" as kind, function, inner):
                parts = inner if kind == "extreme" else [inner]
                return self._call(function, [self.text(part) for part in parts]), ATOM
            case ("sum", parts):
                return self._call("SUM", [self.text(part) for part in parts]), ATOM
            case ("abs", operand):
                return self._call("ABS", [self.text(operand)]), ATOM
            case ("round", operand, places):
                said = [str(places)] if places or self.chance.random() < 0.3 else []
                return self._call("ROUND", [self.text(operand), *said]), ATOM
            case ("bracket", amount, pairs):
                numbers = [self.text(number, ATOM) for pair in pairs for number in pair]
                return self._call("BRACKET", [self.text(amount), *numbers]), ATOM
        raise AssertionError(node)


def value(chance: Random) -> Decimal | None:
    """Make an input: mostly ordinary, sometimes missing, tiny, huge, or written oddly."""
    match chance.randrange(12):
        case 0:
            return None
        case 1:
            return Decimal(chance.choice(("0", "-0", "0.00", "1", "-1", "1E+5", "0E+3")))
        case 2:
            return Decimal(chance.randrange(-(10**30), 10**30)).scaleb(-chance.randrange(25))
        case 3 if chance.random() < 0.4:
            digits = chance.choice((50, 58, 59, 60, 61, 64))
            return Decimal((chance.randrange(2), (9,) * digits, -chance.choice((0, 0, 1, 10, 30, 59, 60))))
        case 4:
            return Decimal(chance.randrange(-5, 6))
    return Decimal(chance.randrange(-(10**6), 10**8)).scaleb(-chance.choice((0, 2, 2, 4)))
