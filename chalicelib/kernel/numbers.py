"""Strict parsing of numbers: money as a string; days, hours and rates as numbers.

Python's own Decimal accepts `1_000`, `1e3`, `.5`, Arabic digits and surrounding spaces. Here nothing is guessed: a
spreadsheet's `1.23457E+11` has lost digits already, and `1,000` is a thousand in one country and one in another.
"""

import re
from decimal import Decimal
from math import isfinite

AMOUNT = r"[0-9]{1,15}(\.[0-9]{1,3})?"  # the published pattern of money, without sign
AMOUNT_PATTERN, SIGNED_AMOUNT_PATTERN = f"^{AMOUNT}$", f"^-?{AMOUNT}$"
MOST_DIGITS = 15  # of money, before the point
MOST_WHOLE_DIGITS = 30  # of other numbers

_AMOUNT = re.compile(AMOUNT)
_SIGNED_AMOUNT = re.compile(f"-?{AMOUNT}")
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_WHOLE = re.compile(r"(-?[0-9]{1,18})(\.0+)?")  # spreadsheets write 480.0
_EXPONENT = re.compile(r"[+-]?[0-9.,]+[eE][+-]?[0-9]+", re.ASCII)


def read_amount(value: object) -> Decimal | None:
    """Return an amount of money: a string of the published pattern, or a whole number.

    Raises ValueError with the reason and the remedy. Null and Decimal pass: the model decides about them.
    """
    return _parse_amount(value, _AMOUNT)


def read_signed_amount(value: object) -> Decimal | None:
    """Return an amount that may be below 0; otherwise as `read_amount`."""
    return _parse_amount(value, _SIGNED_AMOUNT)


def read_number(value: object) -> Decimal | None:
    """Return a number of days or hours, a rate or a measure: a JSON number or a plain decimal string.

    A float is read as its shortest decimal, which is what was written. Raises ValueError with the reason.
    """
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        if abs(value) >= 10**MOST_WHOLE_DIGITS:
            raise ValueError(f"has more than {MOST_WHOLE_DIGITS} digits")
        return Decimal(int(value) if value == int(value) else repr(value))
    if isinstance(value, str):
        if _NUMBER.fullmatch(value):
            return Decimal(value)
        raise ValueError(_reason(value) or f"has more than {MOST_WHOLE_DIGITS} digits before or after the point")
    raise ValueError("must be a number such as 7.5")


def read_whole(value: object) -> object:
    """Return a whole number in a cell of a file, written in plain digits. Raises ValueError with the reason."""
    if isinstance(value, str):
        if match := _WHOLE.fullmatch(value):
            return int(match[1])
        raise ValueError(_reason(value) or "must be a whole number such as 480")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool | float):
        raise ValueError("must be a whole number such as 480")
    return value


def _parse_amount(value: object, pattern: re.Pattern[str]) -> Decimal | None:
    """Return an amount that matches the pattern. Raises ValueError with the reason; null and Decimal pass."""
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        raise ValueError(
            'is a JSON number with decimals, which programs keep only roughly; send it as a string, such as "15000.00"'
        )
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**MOST_DIGITS:
            raise ValueError(f"has more than {MOST_DIGITS} digits")
        value = str(value)
    if not isinstance(value, str):
        raise ValueError('must be a string such as "15000.00"')
    if pattern.fullmatch(value):
        return Decimal(value)
    raise ValueError(_reason(value) or _too_long(value))


def _reason(text: str) -> str | None:  # a list of reasons, the first that fits
    """Return why a text is no plain decimal and what to write instead; None if it is one."""
    if not text.strip():
        return "is empty; write a number such as 15000.00"
    if _EXPONENT.fullmatch(text):
        return (
            "is written with an exponent, for which a spreadsheet has dropped digits; format the column as numbers"
            " with all their decimals, or as text, and write it out, such as 123457000000.00"
        )
    if any(sign.isnumeric() and not sign.isascii() for sign in text):
        return "is written in other digits than 0 to 9; write it in those, such as 15000.00"
    if "," in text or re.search(r"[0-9][_'’\s][0-9]", text):
        return (
            "has a comma or another separator; write the digits together and a point before the decimals, such as"
            " 15000.00"
        )
    if re.search(r"\s", text):
        return "has a space before or after it; leave it out"
    if text.startswith("+"):
        return "begins with a plus sign; leave it out"
    if re.fullmatch(r"-?\.[0-9]+", text):
        return f"has no digit before the point; write {text.replace('.', '0.')}"
    if re.fullmatch(r"-?[0-9]+\.", text):
        return f"has no digit after the point; write {text[:-1]}"
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return "is not a number; write digits and at most one point, such as 15000.00"
    return None


def _too_long(text: str) -> str:
    """Return why an amount that the pattern rejects is none."""
    whole, _, decimals = text.lstrip("-").partition(".")
    if len(whole) > MOST_DIGITS:
        return f"has more than {MOST_DIGITS} digits before the point"
    if len(decimals) > 3:
        return "has more than 3 decimals, which no currency has"
    return "must be greater than or equal to 0"
