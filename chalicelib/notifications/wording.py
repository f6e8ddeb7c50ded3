"""What a notification says: Jinja2 templates in the recipient's language, filled with values that nobody may trust.

`templates/<language>/<kind>.j2` has a subject and a body; paragraphs are parted by blank lines. What surrounds the body
of a mail is `layout.txt.j2` and `layout.html.j2`. A language that is not there falls back to English.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib.kernel.text import harmless_line, harmless_lines
from chalicelib.notifications.rules import NotificationKind

TEMPLATES = Path(__file__).parent / "templates"
ENGLISH, BENGALI = "en", "bn"
LANGUAGES = (ENGLISH, BENGALI)
LONGEST_TITLE = 200
LONGEST_VALUE = 2000
_AT_LENGTH = ("notes", "message")
PLAIN = "#2c559f"  # where a tenant chose no color

_BENGALI_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
_MONTHS = {
    ENGLISH: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    BENGALI: ["জানুয়ারি", "ফেব্রুয়ারি", "মার্চ", "এপ্রিল", "মে", "জুন", "জুলাই", "আগস্ট", "সেপ্টেম্বর", "অক্টোবর", "নভেম্বর", "ডিসেম্বর"],
}


@dataclass(frozen=True, slots=True)
class Brand:
    """How a tenant's mails look."""

    name: str
    color: str = PLAIN
    footer: str = ""

    @classmethod
    def of(cls, name: str, branding: Mapping[str, Any]) -> "Brand":
        """Read a tenant's brand from its settings."""
        return cls(one_line(name), branding.get("color") or PLAIN, clean(branding.get("footer") or ""))


@dataclass(frozen=True, slots=True)
class Wording:
    """A notification in words: one line, and paragraphs parted by blank lines."""

    title: str
    message: str
    html: str  # the same paragraphs
    language: str


def choose_language(said: str) -> str:
    """Choose the language that we have for one that was asked for, such as bn for bn-BD."""
    wanted = re.split("[-_]", said.lower())[0]
    return wanted if wanted in LANGUAGES else ENGLISH


def worded(kind: NotificationKind, values: Mapping[str, Any], *, language: str) -> Wording:
    """Put a notification into words, in the language nearest to the one asked for."""
    chosen = choose_language(language)
    safe = {name: _safe(name, value) if isinstance(value, str) else value for name, value in values.items()}
    return Wording(
        title=one_line(_block(chosen, kind, "subject", safe, html=False)),
        message=_block(chosen, kind, "body", safe, html=False),
        html=_block(chosen, kind, "body", safe, html=True),
        language=chosen,
    )


def mail_of(wording: Wording, *, brand: Brand, name: str, stop_url: str | None) -> tuple[str, str]:
    """Surround a notification with what makes it a mail of the tenant's: as text, and as HTML."""
    values = {"brand": brand, "name": one_line(name), "wording": wording, "stop_url": stop_url}
    return tuple(
        _environment(html=html).get_template(f"{wording.language}/layout.{ending}.j2").render(values).strip() + "\n"
        for html, ending in ((False, "txt"), (True, "html"))
    )


def clean(said: str) -> str:
    """Make text harmless that somebody else wrote: no control characters, nothing that turns it around."""
    return _cut(harmless_lines(said), LONGEST_VALUE)


def one_line(said: str) -> str:
    """Make a line out of text, fit for a header: nothing in it can begin another."""
    return _cut(harmless_line(said), LONGEST_TITLE)


def _safe(name: str, said: str) -> str:
    # only what somebody writes at length has lines of its own
    return clean(said) if name in _AT_LENGTH else _cut(harmless_line(said), LONGEST_VALUE)


def _cut(said: str, longest: int) -> str:
    return said if len(said) <= longest else said[: longest - 1] + "…"


def _block(language: str, kind: NotificationKind, name: str, values: Mapping[str, Any], *, html: bool) -> str:
    template = _environment(html=html).get_template(f"{language}/{kind}.j2")
    said = "".join(template.blocks[name](template.new_context(dict(values))))
    # what the templates leave where a value was empty is no paragraph
    return re.sub(r"[ \t]*\n[ \t]*(\n[ \t]*)+", "\n\n", said).strip()


@cache
def _environment(*, html: bool) -> Any:
    # 40 ms that only those pay who word something
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"day": format_day, "month": format_month}
    made.filters |= {"number": _number, "paragraphs": _paragraphs, "web": _web}
    return made


def format_day(said: str, language: str = ENGLISH) -> str:
    """Write 2026-01-05 as 5 January 2026."""
    day = date.fromisoformat(said)
    return f"{_number(day.day, language)} {_MONTHS[language][day.month - 1]} {_number(day.year, language)}"


def format_month(said: str, language: str = ENGLISH) -> str:
    """Write 2026-01 as January 2026."""
    return f"{_MONTHS[language][int(said[5:7]) - 1]} {_number(int(said[:4]), language)}"


def in_digits(number: int, language: str) -> str:
    """Write a whole number in the digits of a language."""
    return _number(number, language)


def _number(said: float | str, language: str = ENGLISH) -> str:
    """Write 3.0 as 3 and 0.5 as 0.5, in the digits of the language."""
    plain = f"{float(said):.2f}".rstrip("0").rstrip(".")
    return plain.translate(_BENGALI_DIGITS) if language == BENGALI else plain


def _paragraphs(said: str) -> list[str]:
    return [one.strip() for one in said.split("\n\n") if one.strip()]


def _web(said: str) -> str:
    """Let an address through that leads to the web, and no other (javascript:)."""
    return said if urlsplit(said).scheme in ("http", "https") else ""
