"""Names and texts in the characters that banks accept.

SEPA's characters (EPC217-08) are Latin letters, digits, space and / - ? : ( ) . , ' +. Other scripts are transliterated
(Müller: Muller, রহিম: rhim, محمد: mhmd), a character outside the set is replaced by the nearest one in it, and what is
left becomes a space. Names are for the reader: banks pay by account number. A bank that checks the payee's name needs
the holder as the bank knows it, so bank details should be entered in Latin letters in the first place.
"""

import re

from anyascii import anyascii

NOTHING_LEFT = "NOTPROVIDED"  # ISO 20022's own word for a missing value
_NEAREST = str.maketrans({
    "&": "+", "_": "-", "~": "-", "`": "'", '"': "'", ";": ",", "!": ".", "[": "(", "]": ")", "{": "(", "}": ")",
    "<": "(", ">": ")", "|": "/", "\\": "/", "@": "(",
})  # fmt: skip
_NOT_ACCEPTED = re.compile(r"[^A-Za-z0-9/?:().,'+ -]+")
_SLASHES = re.compile(r"//+")


def transliterate(text: str) -> str:
    """Return a text of any script as one line of ASCII; control characters become spaces."""
    return " ".join("".join(char if char.isprintable() else " " for char in anyascii(text)).split())


def to_sepa_text(text: str, *, longest: int) -> str:
    """Return a text in SEPA's characters, at most `longest` of them; it may be empty."""
    converted = _NOT_ACCEPTED.sub(" ", transliterate(text).translate(_NEAREST))
    # some banks mark codes by a slash first or last, or by two together
    converted = _SLASHES.sub("/", " ".join(converted.split())).strip(" /")
    return converted[:longest].rstrip(" /")


def to_sepa_name(text: str, *, longest: int = 70) -> str:
    """Return a name in SEPA's characters, or NOTPROVIDED where nothing of it is left."""
    converted = to_sepa_text(text, longest=longest)
    return converted if any(char.isalnum() for char in converted) else NOTHING_LEFT
