"""The functions: how many arguments each takes, and what it means."""

from dataclasses import dataclass

ARGUMENTS = 50  # of one function
PLACES = 10  # ROUND rounds to at most so many places, and to at most so many zeros


@dataclass(frozen=True, slots=True)
class FormulaFunction:
    """A function as users see it."""

    usage: str
    meaning: str
    example: str
    value: str  # of the example
    least: int
    most: int


FUNCTIONS = {
    "IF": FormulaFunction(
        "IF(condition, a, b)",
        "a where the condition holds, otherwise b; only the one chosen is computed",
        "IF(2 > 1, 10, 20)", "10", 3, 3,
    ),
    "MIN": FormulaFunction(
        "MIN(a, b, ...)", "the smallest; missing values are skipped", "MIN(3, 1, 2)", "1", 1, ARGUMENTS,
    ),
    "MAX": FormulaFunction(
        "MAX(a, b, ...)", "the largest; missing values are skipped", "MAX(3, 1, 2)", "3", 1, ARGUMENTS,
    ),
    "SUM": FormulaFunction("SUM(a, b, ...)", "the sum; missing values count 0", "SUM(1, 2, 3)", "6", 1, ARGUMENTS),
    "ROUND": FormulaFunction(
        "ROUND(a), ROUND(a, places)",
        "rounded to a whole number or to so many places, halves away from zero; places below 0 round to tens, hundreds",
        "ROUND(2.345, 2)", "2.35", 1, 2,
    ),
    "FLOOR": FormulaFunction("FLOOR(a)", "the nearest whole number below", "FLOOR(-2.5)", "-3", 1, 1),
    "CEIL": FormulaFunction("CEIL(a)", "the nearest whole number above", "CEIL(2.1)", "3", 1, 1),
    "ABS": FormulaFunction("ABS(a)", "without its sign", "ABS(-5)", "5", 1, 1),
    "BRACKET": FormulaFunction(
        "BRACKET(amount, from1, rate1, from2, rate2, ...)",
        "progressive brackets: what lies above each threshold, up to the next, at its rate; thresholds ascend, and they"
        " and the rates are plain numbers",
        "BRACKET(60000, 0, 0%, 25000, 10%, 50000, 20%)", "4500", 3, ARGUMENTS + 1,
    ),
}  # fmt: skip
KEYWORDS = frozenset({"and", "or", "not"})
RESERVED = KEYWORDS | {name.lower() for name in FUNCTIONS}
