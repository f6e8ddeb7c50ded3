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
from chalicelib.features.payroll.documents.wording import Sheet, texts_of
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


class Unsettable(RuntimeError):
    """The typesetter refused a sheet; the message is its own."""


def pdf_of(sheet: Sheet, *, dated: datetime) -> bytes:
    """Return a sheet as a PDF; the same one with the same moment is the same file, byte for byte.

    Raise Unsettable where even plain ASCII cannot be set: then the template or the fonts are broken, not the text.
    """
    _press()  # missing fonts are no fault of the sheet
    plainer: tuple[Callable[[Sheet], Sheet], ...] = (lambda whole: whole, _in_our_letters, _in_ascii)
    for make in plainer:
        try:
            return _set(_template(), make(sheet), dated)
        except Unsettable as error:
            refusal = error
            # without what it quotes of the sheet, which may be a name
            logger.warning("payslip refused by the typesetter", reason=re.sub("`[^`]*`", "`...`", str(error))[:500])
    raise refusal


def font_files() -> list[Path]:
    """Find the fonts that are here, or say what is missing."""
    found: list[Path] = []
    for package in FONT_PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"No fonts of {package}: install infra/deploy/layers/payslips/requirements.txt.")
        found += sorted(one for one in Path(spec.origin).parent.rglob("*") if one.suffix in (".ttf", ".otf", ".ttc"))
    return found


def _in_our_letters(sheet: Sheet) -> Sheet:
    """Put those texts of a sheet into Latin letters that no font can show."""
    shown: dict[str, str] = {}
    for said in texts_of({name: value for name, value in sheet.items() if name not in _NOT_SET}):
        if said not in shown:
            shown[said] = said if said.isascii() or _can_be_set(said, sheet["fonts"]) else _transliterated(said)
    return {name: value if name in _NOT_SET else _replaced(value, shown) for name, value in sheet.items()}


def _in_ascii(sheet: Sheet) -> Sheet:
    """Return a sheet that asks as little of the typesetter as can be: ASCII in the plain color."""
    shown = {said: _transliterated(said) for said in texts_of(sheet)}
    printed = {name: value for name, value in sheet.items() if name not in _NOT_SET}
    return {**sheet, **_replaced(printed, shown), "color": PLAIN, "language": ENGLISH}


def _can_be_set(said: str, fonts: Sequence[str]) -> bool:
    try:
        _set(_TRIAL, {"fonts": fonts, "said": said})
    except Unsettable:
        return False
    return True


def _transliterated(said: str) -> str:
    from anyascii import anyascii

    ascii_text = "".join(sign for sign in anyascii(said) if " " <= sign <= "~").strip()
    return ascii_text or "?"


def _replaced(said: Any, shown: Mapping[str, str]) -> Any:
    if isinstance(said, str):
        return shown[said]
    if isinstance(said, Mapping):
        return {name: _replaced(value, shown) for name, value in said.items()}
    return [_replaced(value, shown) for value in said] if isinstance(said, list) else said


def _set(template: bytes, sheet: Sheet, dated: datetime | None = None) -> bytes:
    try:
        made: bytes = _press().compile(
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
            _press.cache_clear()  # what a panic leaves of the compiler is unknown
        raise Unsettable(getattr(error, "message", None) or str(error)) from error
    return made


@cache
def _template() -> bytes:
    return (_TEMPLATES / "payslip.typ").read_bytes()


@cache
def _press() -> Any:
    import typst

    folders = sorted({one.parent for one in font_files()})
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    return typst.Compiler(font_paths=fonts, root=_TEMPLATES)
