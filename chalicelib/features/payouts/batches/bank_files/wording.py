"""Names and texts in the characters that banks take.

SEPA's set (EPC217-08) is Latin letters, digits, space and / - ? : ( ) . , ' +. Other scripts are spelled in Latin
letters by anyascii (Müller: Muller, রহিম: rhim, محمد: mhmd), the nearest sign stands for one that is not taken, and
what is left over becomes a space. Spelling is for the reader: banks pay by account number. A bank that compares names
needs the holder written as the bank knows it, so that is what a destination should say in the first place.
"""

import re

from anyascii import anyascii

NOTHING_LEFT = "NOTPROVIDED"  # ISO 20022's own word for it
_NEAREST = str.maketrans({
    "&": "+", "_": "-", "~": "-", "`": "'", '"': "'", ";": ",", "!": ".", "[": "(", "]": ")", "{": "(", "}": ")",
    "<": "(", ">": ")", "|": "/", "\\": "/", "@": "(",
})  # fmt: skip
_NOT_TAKEN = re.compile(r"[^A-Za-z0-9/?:().,'+ -]+")
_SLASHES = re.compile(r"//+")


def transliterate(text: str) -> str:
    """Spell a text in ASCII, whatever its script, as one line; control characters become spaces."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in anyascii(text)).split())


def to_sepa_text(text: str, *, longest: int) -> str:
    """Write a text in SEPA's characters, at most `longest` of them; it may come out empty."""
    converted = _NOT_TAKEN.sub(" ", transliterate(text).translate(_NEAREST))
    # a slash first or last, or two together, are how some banks mark codes
    converted = _SLASHES.sub("/", " ".join(converted.split())).strip(" /")
    return converted[:longest].rstrip(" /")


def to_sepa_name(text: str, *, longest: int = 70) -> str:
    """Write a name in SEPA's characters; one of which nothing is left says so in the standard's word."""
    converted = to_sepa_text(text, longest=longest)
    return converted if any(sign.isalnum() for sign in converted) else NOTHING_LEFT
