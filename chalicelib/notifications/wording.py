"""The wording of notifications: Jinja2 templates in the user's language, filled with untrusted values.

`templates/<language>/<kind>.j2` has a subject and a body; blank lines separate paragraphs. `layout.txt.j2` and
`layout.html.j2` surround the body of a mail. A language without templates falls back to English.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.kernel.text import harmless_line, harmless_lines
from chalicelib.notifications.rules import NotificationKind

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATES = Path(__file__).parent / "templates"
ENGLISH, BENGALI = "en", "bn"
LANGUAGES = (ENGLISH, BENGALI)
LONGEST_TITLE = 200
LONGEST_VALUE = 2000
_MULTILINE_VALUES = ("notes", "message")
PLAIN = "#2c559f"  # of a tenant that chose no color

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
    """A tenant's branding of mails."""

    name: str
    color: str = PLAIN
    footer: str = ""

    @classmethod
    def from_settings(cls, name: str, branding: Mapping[str, Any]) -> "Brand":
        """Read a tenant's brand from its settings."""
        return cls(one_line(name), branding.get("color") or PLAIN, clean(branding.get("footer") or ""))


@dataclass(frozen=True, slots=True)
class Wording:
    """A notification in words: one line, and paragraphs separated by blank lines."""

    title: str
    message: str
    html: str  # the same paragraphs
    language: str


def choose_language(requested: str) -> str:
    """Return the supported language nearest to a requested one, such as bn for bn-BD."""
    language = re.split("[-_]", requested.lower())[0]
    return language if language in LANGUAGES else ENGLISH


def render(kind: NotificationKind, values: Mapping[str, Any], *, language: str) -> Wording:
    """Word a notification in the supported language nearest to the requested one."""
    chosen = choose_language(language)
    safe = {name: _sanitize(name, value) if isinstance(value, str) else value for name, value in values.items()}
    return Wording(
        title=one_line(_render_block(chosen, kind, "subject", safe, html=False)),
        message=_render_block(chosen, kind, "body", safe, html=False),
        html=_render_block(chosen, kind, "body", safe, html=True),
        language=chosen,
    )


def render_mail(wording: Wording, *, brand: Brand, name: str, stop_url: str | None) -> tuple[str, str]:
    """Return a notification within the layout of the tenant's mails: as text, and as HTML."""
    values = {"brand": brand, "name": one_line(name), "wording": wording, "stop_url": stop_url}

    def render_layout(ending: str, *, html: bool) -> str:
        template = _environment(html=html).get_template(f"{wording.language}/layout.{ending}.j2")
        return str(template.render(values)).strip() + "\n"

    return render_layout("txt", html=False), render_layout("html", html=True)


def clean(text: str) -> str:
    """Sanitize untrusted text of several lines: no control characters, nothing that reverses its direction."""
    return _cut(harmless_lines(text), LONGEST_VALUE)


def one_line(text: str) -> str:
    """Return a text as one line, safe in a mail header: it cannot begin another header."""
    return _cut(harmless_line(text), LONGEST_TITLE)


def _sanitize(name: str, text: str) -> str:
    return clean(text) if name in _MULTILINE_VALUES else _cut(harmless_line(text), LONGEST_VALUE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _render_block(language: str, kind: NotificationKind, name: str, values: Mapping[str, Any], *, html: bool) -> str:
    template = _environment(html=html).get_template(f"{language}/{kind}.j2")
    text = "".join(template.blocks[name](template.new_context(dict(values))))
    # an empty value leaves blank lines, which are no paragraph
    return re.sub(r"[ \t]*\n[ \t]*(\n[ \t]*)+", "\n\n", text).strip()


@cache
def _environment(*, html: bool) -> "ImmutableSandboxedEnvironment":
    # imported late: 40 ms that only those pay who render something
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": format_day, "month": format_month}
    environment.filters |= {"number": format_number, "paragraphs": _split_paragraphs, "web": _allow_web_address}
    return environment


def format_day(iso_day: str, language: str = ENGLISH) -> str:
    """Write 2026-01-05 as 5 January 2026."""
    day = date.fromisoformat(iso_day)
    return f"{format_number(day.day, language)} {_MONTHS[language][day.month - 1]} {format_number(day.year, language)}"


def format_month(iso_month: str, language: str = ENGLISH) -> str:
    """Write 2026-01 as January 2026."""
    return f"{_MONTHS[language][int(iso_month[5:7]) - 1]} {format_number(int(iso_month[:4]), language)}"


def format_number(number: float | str, language: str = ENGLISH) -> str:
    """Write 3.0 as 3 and 0.5 as 0.5, in the digits of the language."""
    plain = f"{float(number):.2f}".rstrip("0").rstrip(".")
    return plain.translate(_BENGALI_DIGITS) if language == BENGALI else plain


def _split_paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _allow_web_address(url: str) -> str:
    """Return an address of the web as it is, and nothing for others (javascript:)."""
    return url if urlsplit(url).scheme in ("http", "https") else ""
