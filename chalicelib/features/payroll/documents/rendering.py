"""A payslip's sheet as a PDF, by typst, from the fonts that come with this function's layer and no others.

Only the function that makes payslips has that layer, so typst is loaded here and when it is first used. The fonts are
wheels of the Noto families; what is printed in which of them is chosen by typst, character by character.

The PDFs are PDF/A-2a and PDF/UA-1: they can be read in thirty years, and aloud. Those standards forbid the empty box
that stands for a character that no font has, and others besides, and typst refuses to write them. Whatever it says of a
sheet, that sheet is tried again in plainer text: first with those of its texts in Latin letters that cannot be set by
themselves, at last with all of them in ASCII. A person gets a plain payslip rather than none.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chalicelib.backing.log import logger
from chalicelib.features.payroll.documents.wording import Sheet, list_texts
from chalicelib.notifications.wording import ENGLISH, PLAIN

CONTENT_TYPE = "application/pdf"
FONT_PACKAGES = (
    "fontpkg_noto_sans",
    "justmytype_intl_south_asia",
    "justmytype_intl_rtl",
    "justmytype_intl_sea",
    "noto_cjk_sans_otc",
)
_NOT_SET = ("color", "language", "fonts")  # what the template reads and does not print
STANDARDS: Any = ["a-2a", "ua-1"]
_TEMPLATES = Path(__file__).parent / "templates"
# one text alone, as the template would set it
_TRIAL = b"""#let sheet = json(bytes(sys.inputs.sheet))
#set document(title: "trial")
#set text(font: sheet.fonts)
#text(sheet.said)"""


class RenderingFailed(RuntimeError):
    """The typesetter refused a sheet; the message is its own."""


def render_pdf(sheet: Sheet, *, dated: datetime) -> bytes:
    """Return a sheet as a PDF; the same one with the same moment is the same file, byte for byte.

    Raise Unsettable where even plain ASCII cannot be set: then the template or the fonts are broken, not the text.
    """
    _compiler()  # missing fonts are no fault of the sheet
    plainer: tuple[Callable[[Sheet], Sheet], ...] = (lambda whole: whole, _in_available_fonts, _in_ascii)
    for make in plainer:
        try:
            return _render(_template(), make(sheet), dated)
        except RenderingFailed as error:
            refusal = error
            # without what it quotes of the sheet, which may be a name
            logger.warning("payslip refused by the typesetter", reason=re.sub("`[^`]*`", "`...`", str(error))[:500])
    raise refusal


def font_files() -> list[Path]:
    """Return the paths of the installed fonts. Raises RuntimeError where a package of them is missing."""
    paths: list[Path] = []
    for package in FONT_PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"No fonts of {package}: install infra/deploy/layers/payslips/requirements.txt.")
        paths += sorted(one for one in Path(spec.origin).parent.rglob("*") if one.suffix in (".ttf", ".otf", ".ttc"))
    return paths


def _in_available_fonts(sheet: Sheet) -> Sheet:
    """Put those texts of a sheet into Latin letters that no font can show."""
    shown: dict[str, str] = {}
    for text in list_texts({name: value for name, value in sheet.items() if name not in _NOT_SET}):
        if text not in shown:
            shown[text] = text if text.isascii() or _can_be_rendered(text, sheet["fonts"]) else _transliterate(text)
    return {name: value if name in _NOT_SET else _replace_texts(value, shown) for name, value in sheet.items()}


def _in_ascii(sheet: Sheet) -> Sheet:
    """Return a sheet that asks as little of the typesetter as can be: ASCII in the plain color."""
    shown = {text: _transliterate(text) for text in list_texts(sheet)}
    printed = {name: value for name, value in sheet.items() if name not in _NOT_SET}
    return {**sheet, **_replace_texts(printed, shown), "color": PLAIN, "language": ENGLISH}


def _can_be_rendered(text: str, fonts: Sequence[str]) -> bool:
    try:
        _render(_TRIAL, {"fonts": fonts, "said": text})
    except RenderingFailed:
        return False
    return True


def _transliterate(text: str) -> str:
    from anyascii import anyascii

    ascii_text = "".join(sign for sign in anyascii(text) if " " <= sign <= "~").strip()
    return ascii_text or "?"


def _replace_texts(text: Any, shown: Mapping[str, str]) -> Any:
    if isinstance(text, str):
        return shown[text]
    if isinstance(text, Mapping):
        return {name: _replace_texts(value, shown) for name, value in text.items()}
    return [_replace_texts(value, shown) for value in text] if isinstance(text, list) else text


def _render(template: bytes, sheet: Sheet, dated: datetime | None = None) -> bytes:
    try:
        pdf: bytes = _compiler().compile(
            template,
            format="pdf",
            sys_inputs={"sheet": json.dumps(sheet)},
            pdf_standards=STANDARDS,
            timestamp=None if dated is None else int(dated.timestamp()),  # typst takes no part of a second
        )
    except BaseException as error:
        if not isinstance(error, Exception):
            if type(error).__name__ != "PanicException":  # of Rust: no Exception, and its class cannot be imported
                raise
            _compiler.cache_clear()  # what a panic leaves of the compiler is unknown
        raise RenderingFailed(getattr(error, "message", None) or str(error)) from error
    return pdf


@cache
def _template() -> bytes:
    return (_TEMPLATES / "payslip.typ").read_bytes()


@cache
def _compiler() -> Any:
    import typst

    folders = sorted({one.parent for one in font_files()})
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    return typst.Compiler(font_paths=fonts, root=_TEMPLATES)
