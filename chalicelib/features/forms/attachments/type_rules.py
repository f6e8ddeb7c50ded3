"""Which types of file may be attached, and what a file of each is called and looks like."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.backing import files
from chalicelib.features.forms.attachments import office_rules as office
from chalicelib.features.forms.attachments import pdf_rules as pdf

# Characters that turn the reading direction, by which a name ending in .exe can be made to read as one ending in .pdf.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _begins(*signatures: bytes) -> Callable[[bytes], str | None]:
    return lambda data: None if data.startswith(signatures) else "its content is something else"


def _webp(data: bytes) -> str | None:
    return None if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "its content is something else"


def _text(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "it is not text in UTF-8; save it as UTF-8"
    return "it is not text: it holds a NUL character" if "\x00" in text else None


def _office(main: str) -> Callable[[bytes], str | None]:
    return lambda data: office.problem_of(data, main)


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file that we take: how its names end, and what is wrong with a content that is not of it."""

    said: str
    extensions: tuple[str, ...]
    problem: Callable[[bytes], str | None]


# The signatures are those of each format's own standard. What is not here cannot be attached, whatever a form allows.
TYPES: Mapping[str, FileType] = {
    "application/pdf": FileType("PDF", ("pdf",), pdf.problem_of),
    "image/png": FileType("PNG image", ("png",), _begins(b"\x89PNG\r\n\x1a\n")),
    "image/jpeg": FileType("JPEG image", ("jpg", "jpeg"), _begins(b"\xff\xd8\xff")),
    "image/webp": FileType("WebP image", ("webp",), _webp),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": FileType(
        "Word document", ("docx",), _office("word/document.xml")
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": FileType(
        "Excel workbook", ("xlsx",), _office("xl/workbook.xml")
    ),
    "text/csv": FileType("CSV file", ("csv",), _text),
    "text/plain": FileType("text file", ("txt",), _text),
}


def problem_of_name(name: str, content_type: str) -> str | None:
    """Return what is wrong with a file's name. It is kept as it was said, in any script."""
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in _TURNING for one in name):
        return "holds characters that cannot be seen; rename the file"
    known = TYPES[content_type]
    stem, dot, extension = name.rpartition(".")
    if not (stem.strip() and dot and extension.lower() in known.extensions):
        return f"must end with .{' or .'.join(known.extensions)}, as a {known.said}'s name does"
    return None


def name_to_save(name: str, content_type: str) -> str:
    """Return the name that a header may carry: ASCII, and with the ending of what it is."""
    stem = name.rpartition(".")[0]
    return f"{files.safe_name(stem)}.{TYPES[content_type].extensions[0]}"


def problem_of_content(data: bytes, *, content_type: str, size_bytes: int) -> str | None:
    """Return why a file is not what was announced."""
    if len(data) != size_bytes:
        return f"it has {len(data):,} bytes, and {size_bytes:,} were announced"
    known = TYPES[content_type]
    wrong = known.problem(data)
    return f"it is not a {known.said}: {wrong}" if wrong else None
