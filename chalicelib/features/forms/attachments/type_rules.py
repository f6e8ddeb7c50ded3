"""The types of file that may be attached, and checks of a file's name and content against its type."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.backing import files
from chalicelib.features.forms.attachments import office_rules as office
from chalicelib.features.forms.attachments import pdf_rules as pdf

# Characters that change the reading direction: by them a name that ends in .exe can be displayed as one in .pdf.
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _check_signature(*signatures: bytes) -> Callable[[bytes], str | None]:
    return lambda data: None if data.startswith(signatures) else "its content is something else"


def _check_webp(data: bytes) -> str | None:
    return None if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "its content is something else"


def _check_text(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "it is not text in UTF-8; save it as UTF-8"
    return "it is not text: it holds a NUL character" if "\x00" in text else None


def _check_office(main: str) -> Callable[[bytes], str | None]:
    return lambda data: office.check_document(data, main)


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file that we take: how its names end, and and a check of its content."""

    label: str
    extensions: tuple[str, ...]
    check: Callable[[bytes], str | None]


# The signatures are those of each format's own standard. What is not here cannot be attached, whatever a form allows.
TYPES: Mapping[str, FileType] = {
    "application/pdf": FileType("PDF", ("pdf",), pdf.check_pdf),
    "image/png": FileType("PNG image", ("png",), _check_signature(b"\x89PNG\r\n\x1a\n")),
    "image/jpeg": FileType("JPEG image", ("jpg", "jpeg"), _check_signature(b"\xff\xd8\xff")),
    "image/webp": FileType("WebP image", ("webp",), _check_webp),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": FileType(
        "Word document", ("docx",), _check_office("word/document.xml")
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": FileType(
        "Excel workbook", ("xlsx",), _check_office("xl/workbook.xml")
    ),
    "text/csv": FileType("CSV file", ("csv",), _check_text),
    "text/plain": FileType("text file", ("txt",), _check_text),
}


def check_name(name: str, content_type: str) -> str | None:
    """Return what is wrong with a file's name, or None. The name is kept as it was sent, in any script."""
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in _DIRECTION_MARKS for one in name):
        return "holds characters that cannot be seen; rename the file"
    known = TYPES[content_type]
    stem, dot, extension = name.rpartition(".")
    if not (stem.strip() and dot and extension.lower() in known.extensions):
        return f"must end with .{' or .'.join(known.extensions)}, as a {known.label}'s name does"
    return None


def name_to_save(name: str, content_type: str) -> str:
    """Return a name for a header: in ASCII, with the extension of the file's type."""
    stem = name.rpartition(".")[0]
    return f"{files.safe_name(stem)}.{TYPES[content_type].extensions[0]}"


def check_content(data: bytes, *, content_type: str, size_bytes: int) -> str | None:
    """Return why a content is not what was announced, or None."""
    if len(data) != size_bytes:
        return f"it has {len(data):,} bytes, and {size_bytes:,} were announced"
    known = TYPES[content_type]
    problem = known.check(data)
    return f"it is not a {known.label}: {problem}" if problem else None
