"""The language as its users see it, for the API's own description."""

from chalicelib.formulas.functions import FUNCTIONS
from chalicelib.formulas.lexer import LENGTH

# How it is written, what it means, an example, and what that gives.
OPERATORS = [
    ("a + b, a - b, a * b", "exact", "0.1 + 0.2 * 3", "0.7"),
    ("a / b", "rounded once to 10 places, halves away from zero; by zero there is no value", "2 / 3", "0.6666666667"),
    ("-a", "with the other sign", "-5 + 2", "-3"),
    ("=, <>, <, <=, >, >=", "compare numbers, giving yes or no", "IF(2 <> 3, 1, 0)", "1"),
    ("c and d, c or d, not c", "join conditions; not binds tightest, or loosest", "IF(not 1 = 2 and 3 > 2, 1, 0)", "1"),
]  # fmt: skip


def _table() -> str:
    rows = [*OPERATORS, *((one.usage, one.meaning, one.example, one.value) for one in FUNCTIONS.values())]
    lines = [f"| `{usage}` | {meaning} | `{example}` is {value} |" for usage, meaning, example, value in rows]
    return "\n".join(["| write | meaning | example |", "|---|---|---|", *lines])


REFERENCE = f"""A formula is one expression of decimal numbers (`1500`, `0.15`, `15%`), names (`base_salary`),
operators, functions and brackets, of at most {LENGTH:,} characters. Names are written in small letters; functions and
`and`, `or`, `not` in either case. Numbers and yes/no do not mix: `IF` turns a condition into a number.

{_table()}

Nothing is rounded unless the formula says so, apart from division and the result as a whole. A value that is missing
makes what needs it missing, and the result names it; `MIN`, `MAX` and `SUM` skip it. What is false in any case stays
false beside it. Results of more than 60 digits are not computed.
"""
