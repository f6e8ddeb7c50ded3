r"""Human text: one way of cleaning for every name, remark, reason and address, wherever it comes from.

Removed is what has no letter and only makes equal texts differ, breaks fonts, or controls a terminal:

- escape sequences and control characters; U+FEFF (the byte order mark that editors leave behind), the soft hyphen, the
  zero-width space, word joiners, tag characters, and the direction marks U+200E, U+200F and U+061C, which move no
  letter and are copied along with Arabic or Persian text from another program;
- spaces of every width become one space, and those at the ends are removed. A text of one line has no line breaks; in
  a longer one they are kept.

Kept are the joiners U+200C and U+200D, without which names in Bengali, Hindi, Persian and Malayalam are spelled
wrongly, and variation selectors, which choose the form of a Chinese or Japanese name. The result is in NFC.

Refused, because removing it would change what a reader sees: overrides, embeddings and isolates of direction (they
show a text in another order than it is stored in), private-use characters (each machine shows another sign),
noncharacters and halves of surrogate pairs (a file was read in the wrong encoding).
"""

import re
import unicodedata

JOINERS = "\u200c\u200d"
BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"

# Fast path for most texts: one line of ASCII that is clean already.
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves
    r"|\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC: titles, links
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC: strings for the terminal
    r"|\x1b[ -/]*[0-~]"
)
_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_REMOVED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb\U000e0000-\U000e007f]"
)
_TURNING = re.compile(f"[{BIDI_CONTROLS}]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
_NO_CHARACTER = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_REFUSED = (
    (
        _TURNING,
        "a character that turns the direction of text around (U+{:04X}), so that it reads differently than it is"
        " stored; type the text again without it",
    ),
    (
        _PRIVATE,
        "a private-use character (U+{:04X}), which every machine shows as something else; write it with a character of"
        " its script",
    ),
    (
        _NO_CHARACTER,
        "what is no character (U+{:04X}); it was probably read in the wrong encoding, so save it as UTF-8",
    ),
)  # fmt: skip
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters and symbols by category, with nothing to see


def clean_line(text: str) -> str:
    """Return the text as one clean line, empty if nothing in it is visible. Raises ValueError with the reason."""
    if _PLAIN.fullmatch(text):
        return text
    _refuse(text)
    return _one_line(text)


def clean_lines(text: str) -> str:
    """Return the clean text with its line breaks as newlines. Raises ValueError with the reason."""
    if _PLAIN.fullmatch(text):
        return text
    _refuse(text)
    return _several_lines(text)


def harmless_line(text: str) -> str:
    """Return stored text as one line that can be shown: characters that turn it around are removed, none is refused."""
    return _one_line(_harmless(text))


def harmless_lines(text: str) -> str:
    """Return stored text that can be shown, with its line breaks; otherwise as `harmless_line`."""
    return _several_lines(_harmless(text))


def _refuse(text: str) -> None:
    text = _ESCAPE_SEQUENCE.sub("", text)
    for pattern, reason in _REFUSED:
        if match := pattern.search(text):
            raise ValueError("holds " + reason.format(ord(match[0])))


def _harmless(text: str) -> str:
    return _NO_CHARACTER.sub("", _TURNING.sub("", text))


def _one_line(text: str) -> str:
    return _visible(" ".join(_normalized(text).split()))


def _several_lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in _normalized(text).split("\n"))
    return _visible("\n".join(lines).strip("\n"))


def _normalized(text: str) -> str:
    text = _LINE_BREAK.sub("\n", _ESCAPE_SEQUENCE.sub("", text))
    return unicodedata.normalize("NFC", _REMOVED.sub("", text))


def _visible(text: str) -> str:
    is_visible = any(
        sign not in _BLANK and (unicodedata.category(sign)[0] in "LNPS" or _PRIVATE.match(sign)) for sign in text
    )
    return text if is_visible else ""
