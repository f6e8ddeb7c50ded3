"""From text to words: numbers, names, signs. Whatever is none of them is refused where it stands."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.formulas.errors import FormulaError

LENGTH = 2000  # characters of a formula, as the column that keeps it
DIGITS = 20  # of a number
LETTERS = 64  # of a name or function

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?%?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|<>|[-+*/()<>=,])"
)
_WRITE = {
    "==": "write = to compare",
    "!=": "write <> for 'is not equal to'",
    "=<": "write <=",
    "=>": "write >=",
    "&&": "write and",
    "||": "write or",
    "**": "there are no powers; multiply",
    "//": "write FLOOR(a / b)",
    "!": "write not",
    "&": "write and",
    "|": "write or",
    "^": "there are no powers; multiply",
    "%": "% stands directly behind a number, as in 15%; write x / 100 for anything else",
    ";": "write a comma between arguments",
    ":": "there are no ranges; name each value",
    "{": "write round brackets",
    "}": "write round brackets",
    "[": "write round brackets",
    "]": "write round brackets",
    ".": "a decimal point stands between digits, as in 0.5",
    '"': "there are no texts, only numbers",
    "'": "there are no texts, only numbers",
    "\u00d7": "write *",
    "\u00f7": "write /",
    "\u2212": "write -",
    "\u2013": "write -",
    "\u2264": "write <=",
    "\u2265": "write >=",
    "\u2260": "write <>",
    "\u00a0": "write an ordinary space",
}


class Sort(StrEnum):
    """What a word is."""

    NUMBER = "number"
    WORD = "word"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a formula and where it stands."""

    sort: Sort
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(text: str) -> list[Token]:
    """Cut a formula into words, with an END behind the last."""
    if len(text) > LENGTH:
        raise FormulaError(
            f"This formula has {len(text):,} characters; at most {LENGTH:,} are possible.", text=text, position=LENGTH
        )
    return [*_cut(text), Token(Sort.END, "", len(text.rstrip(" \t\r\n")))]


def _cut(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        sort = match and match.lastgroup
        if sort in (None, "sign") and text[at : at + 2] in _WRITE:
            raise FormulaError(_refusal(text[at : at + 2]), text=text, position=at)
        if match is None or sort is None:
            raise FormulaError(_refusal(text[at]), text=text, position=at)
        if sort != "space":
            token = Token(Sort(sort), match.group(), at)
            _bound(token, text)
            yield token
        at = match.end()


def _bound(token: Token, text: str) -> None:
    if token.sort is Sort.WORD and len(token.text) > LETTERS:
        raise FormulaError(f"No name is longer than {LETTERS} letters.", text=text, position=token.start)
    if token.sort is not Sort.NUMBER:
        return
    if sum(sign.isdigit() for sign in token.text) > DIGITS:
        raise FormulaError(f"A number has at most {DIGITS} digits.", text=text, position=token.start)
    if re.match(r"0[0-9]", token.text):
        raise FormulaError(
            "A number does not begin with needless zeros, and has no separators of thousands.",
            text=text,
            position=token.start,
        )
    if re.match(r"[A-Za-z_]", text[token.end : token.end + 1]):
        raise FormulaError(
            "A number is digits and perhaps a decimal point, such as 1000 or 0.15; here letters follow it.",
            text=text,
            position=token.end,
        )


def _refusal(sign: str) -> str:
    if sign.isprintable() and sign.isascii():
        shown = sign
    else:
        name = unicodedata.name(sign, "a control character" if ord(sign) < 160 else "a character without a name")
        shown = f"U+{ord(sign):04X} ({name})"
    return f"{shown} has no place in a formula" + (f": {_WRITE[sign]}." if sign in _WRITE else ".")
