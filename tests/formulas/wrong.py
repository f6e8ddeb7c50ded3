"""Texts that are wrong on purpose, or probably so: too large, ill-typed, mutilated, hostile."""

from collections.abc import Callable
from random import Random

from tests.formulas.generator import NAMES, Trees, Writing, literal

HOSTILE = [
    "__import__('os').system('true')",
    "().__class__.__bases__[0].__subclasses__()",
    "f'{open}'",
    "(x := 1)",
    "lambda: 1",
    "eval('1')",
    "exec(1)",
    "open('/etc/passwd')",
    "a.real",
    "a[0]",
    "globals()",
    "warnings",
    "values",
    "v0",
    "k0",
    "ZERO",
    "__builtins__",
    "program",
    "None",
    "True",
    "1if 1else 2",
    "[1 for a in a]",
    "{1}",
    "a;b",
    "\x00",
    "\ud800",
    "\u202e",
    "\uff11",
    "\u0661",
    "\u0430",
    "\u00a0",
    "\U0001f4b0",
    "1e999999",
    "0x10",
    "1_000",
    "1j",
    "9" * 25,
    "a" * 70,
    "**",
    "//",
    "@",
    "~a",
    "a==b",
    "a!=b",
    "'",
    '"',
    "\\",
    "#",
    "\n",
    "%",
    "15 %",
    "1,000",
    "007",
]
PIECES = [*NAMES, *"+-*/(),<>=%. ", "<=", ">=", "<>", "and ", "or ", "not ", "IF(", "MAX(", "ROUND(", "BRACKET(", "1"]


def mutilated(chance: Random, text: str) -> str:
    """Break a text in a few places."""
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.choice((0, 1, 1, 3, 10)))
        put = chance.choice(("", text[at:to] * 2, chance.choice(PIECES), chance.choice(HOSTILE)))
        text = text[:at] + put + text[to:]
    return text


def garbage(chance: Random) -> str:
    """Make a text of pieces, of any characters, or a hostile one."""
    match chance.randrange(3):
        case 0:
            return "".join(chance.choice(PIECES) for _ in range(chance.randrange(40)))
        case 1:
            return "".join(chr(chance.choice((128, 0x300, 0x11000)) and chance.randrange(0x500)) for _ in range(20))
    return chance.choice(HOSTILE) + chance.choice(("", "+1", chance.choice(HOSTILE)))


def _ill_typed(chance: Random, names: list[str]) -> str:
    trees, writing = Trees(chance, names), Writing(chance)
    number, yes_no = writing.text(trees.number(3), 8), writing.text(trees.yes_no(3), 8)
    yes_no = f"({yes_no})"
    return chance.choice(
        (
            f"{number} + {yes_no}",
            f"-{yes_no}",
            f"{yes_no} < {number}",
            f"not {number} and {yes_no}",
            f"{number} or {yes_no}",
            f"IF({number}, 1, 2)",
            f"IF({yes_no}, {number}, {yes_no})",
            f"MAX(1, {yes_no})",
            f"ROUND({yes_no})",
            f"ROUND(1.5, {number} + 1)",
            "ROUND(1.5, 11)",
            "ROUND(1.5, 0.5)",
            yes_no,
            f"BRACKET({number}, {number} * 1, 5%)",
            f"BRACKET({yes_no}, 0, 5%)",
            "BRACKET(1, 5, 1%, 5, 2%)",
            "BRACKET(1, 0, 101%)",
            "BRACKET(1, 0)",
            "BRACKET(1, 0, 1%, 5)",
            "FLOOR(1, 2)",
            "IF(1 = 1, 2)",
            "SUM()",
        )
    )


def _unknown(chance: Random, names: list[str]) -> str:
    text = Writing(chance).text(Trees(chance, names).number(3), 8)
    return f"{text} + {chance.choice(('no_such_name', names[0].upper(), names[0] + '_', '_', 'x' * 64))}"


def _oversized(chance: Random, names: list[str]) -> str:
    name = chance.choice(names)
    deep = chance.choice((25, 100, 1000, 10_000))
    return chance.choice(
        (
            "(" * deep + name + ")" * deep,
            "-" * deep + name,
            "not " * deep + f"({name} = 1)",
            "IF(1 = 1, " * deep,
            "MAX(" * deep + name + ")" * deep,
            "+".join([name] * chance.randrange(151, 400)),
            f"{name}{' ' * 2000}",
            " and ".join(["1 = 1"] * 100),
            f"MAX({','.join(['1'] * 51)})",
            f"1 + {'1' * 21}",
            f"0.{'1' * 20}",
            f"BRACKET({name}, {', '.join(f'{n}, 1%' for n in range(26))})",
            "x" * 65,
            "1+" * 100_000 + "1",
        )
    )


# Each is refused, whatever chance says.
REFUSED: dict[str, Callable[[Random, list[str]], str]] = {
    "ill-typed": _ill_typed,
    "unknown": _unknown,
    "oversized": _oversized,
    "chained": lambda chance, names: f"{literal(chance)[1]} < {names[0]} < {literal(chance)[1]} ",
}
