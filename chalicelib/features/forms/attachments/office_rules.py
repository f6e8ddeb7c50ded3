"""What an office document may hold. It is an archive, so it is unpacked once, in bounded memory, and thrown away.

The archive's own list of its parts is not trusted: a part is inflated by itself to its end, and must be as long as
the list says. Refused are bombs, encrypted parts, macros, embedded objects and programs, templates that would be
fetched from elsewhere, and XML that declares entities. A document inside (a chart's workbook) is checked likewise,
two levels deep; any other archive inside is refused.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from struct import error as StructError  # noqa: N812  # it is an exception
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MOST_ENTRIES = 5_000
MOST_UNPACKED = 200 * 1024 * 1024  # bytes, of all parts together, also of documents inside
FREE_UNPACKED = 10 * 1024 * 1024  # bytes that a document may unpack to, however small it is
MOST_RATIO = 100  # times its own size that a document may unpack to beyond that; text packs 10 to 20 times
MOST_PART = 64 * 1024 * 1024  # bytes of one part that is read as a whole
DEEPEST = 2  # levels of documents inside documents
PIECE = 256 * 1024

ARCHIVE, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
MAIN_PARTS = ("word/document.xml", "xl/workbook.xml", "ppt/presentation.xml")

_MACROS = re.compile(rb"vbaProject|macroEnabled|macrosheet|vbaData", re.IGNORECASE)
_FETCHED = re.compile(rb"<Relationship\b[^>]*(attachedTemplate|oleObject|subDocument|frame)\"[^>]*>", re.IGNORECASE)
_ENTITIES = [word.encode(form) for word in ("<!DOCTYPE", "<!ENTITY") for form in ("ascii", "utf-16-le", "utf-16-be")]
_DDE = re.compile(rb"(<w:instrText[^>]*>|w:instr=\")\s*DDE|<ddeLink", re.IGNORECASE)


class UnsafeDocument(Exception):  # an outcome of the check, and no error of ours
    """What is wrong with a document, in words for who uploaded it."""


@dataclass(slots=True)
class _Budget:
    """How many bytes all parts may still unpack to."""

    left: int

    def take(self, count: int) -> None:
        """Count unpacked bytes. Raises UnsafeDocument beyond the budget (a ZIP bomb)."""
        self.left -= count
        if self.left < 0:
            raise UnsafeDocument("it unpacks to more than any document needs")


def check_document(data: bytes, main: str) -> str | None:
    """Return what is wrong with an office document whose main part is `main`, or None."""
    try:
        _check(data, (main,), _Budget(min(MOST_UNPACKED, max(FREE_UNPACKED, len(data) * MOST_RATIO))), depth=1)
    except UnsafeDocument as refusal:
        return str(refusal)
    return None


def _check(data: bytes, mains: tuple[str, ...], budget: _Budget, *, depth: int) -> None:
    """Unpack an archive part by part, and check each."""
    for entry in _list_entries(data, mains, budget):
        if entry.is_dir():
            continue
        head = b""
        whole = bytearray()
        length = 0
        is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
        for piece in _inflate_entry(data, entry):
            budget.take(len(piece))
            length += len(piece)
            head = head or piece[:16]
            if is_xml or head.startswith(ARCHIVE):
                whole += piece
                if len(whole) > MOST_PART:
                    raise UnsafeDocument("it unpacks to more than any document needs")
        if length != entry.file_size:
            raise UnsafeDocument("it is damaged: a part is not as long as it claims to be")
        _check_part(entry.filename, head, bytes(whole), budget, depth=depth)


def _check_part(name: str, head: bytes, whole: bytes, budget: _Budget, *, depth: int) -> None:
    """Check one unpacked part: its signature, and its text where it is XML."""
    if head.startswith(OLE):
        raise UnsafeDocument("it holds an embedded object; save it without")
    if head.startswith(PROGRAMS):
        raise UnsafeDocument("it holds a program")
    if head.startswith(ARCHIVE):
        if depth >= DEEPEST:
            raise UnsafeDocument("it holds archives inside archives")
        _check(whole, MAIN_PARTS, budget, depth=depth + 1)
        return
    if any(word in whole for word in _ENTITIES):
        raise UnsafeDocument("its XML declares entities, which no office document does")
    if (name == "[Content_Types].xml" or name.endswith(".rels")) and _MACROS.search(whole):
        raise UnsafeDocument("it holds macros; save it without")
    if name.endswith(".rels") and any(b"External" in match[0] for match in _FETCHED.finditer(whole)):
        raise UnsafeDocument("it would fetch a template or an object from elsewhere when it is opened")
    if _DDE.search(whole):
        raise UnsafeDocument("it would start another program when it is opened (DDE)")


def _list_entries(data: bytes, mains: tuple[str, ...], budget: _Budget) -> list[ZipInfo]:
    """Return the parts of an archive that is an office document, judged by its list alone: nothing is unpacked."""
    # each entry begins with this: counted first, because reading the list makes an object of each
    if not data.startswith(ARCHIVE) or data.count(b"PK\x01\x02") > MOST_ENTRIES:
        raise UnsafeDocument("its content is something else")
    try:
        with ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except (BadZipFile, StructError, ValueError, NotImplementedError, OverflowError):
        raise UnsafeDocument("it is damaged") from None
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or not names.intersection(mains):
        raise UnsafeDocument("its content is something else" if mains != MAIN_PARTS else "it holds another archive")
    if any(name.lower().endswith("vbaproject.bin") or "/macrosheets/" in name.lower() for name in names):
        raise UnsafeDocument("it holds macros; save it without")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise UnsafeDocument("it is encrypted; save it without a password")
    if len(names) != len(entries) or any(one.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for one in entries):
        raise UnsafeDocument("it is damaged")
    if sum(entry.file_size for entry in entries) > budget.left:
        raise UnsafeDocument("it unpacks to more than any document needs")
    if _has_overlap(entries):
        raise UnsafeDocument("it is damaged: its parts overlap")
    return entries


def _has_overlap(entries: list[ZipInfo]) -> bool:
    """Return whether two parts share bytes, by which a small archive unpacks to a huge one."""
    ended = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < ended:
            return True
        ended = entry.header_offset + 30 + entry.compress_size
    return False


def _inflate_entry(data: bytes, entry: ZipInfo) -> Iterator[bytes]:
    """Inflate one part in pieces, to its own end, whatever the list says of its length."""
    start = entry.header_offset
    head = data[start : start + 30]
    if len(head) < 30 or not head.startswith(ARCHIVE):
        raise UnsafeDocument("it is damaged")
    start += 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = data[start : start + entry.compress_size]
    if entry.compress_type == ZIP_STORED:
        yield from (packed[at : at + PIECE] for at in range(0, len(packed), PIECE))
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        piece = inflater.decompress(packed, PIECE)
        while piece:
            yield piece
            piece = inflater.decompress(inflater.unconsumed_tail, PIECE)
    except zlib.error:
        raise UnsafeDocument("it is damaged") from None
    if not inflater.eof:
        raise UnsafeDocument("it is damaged")
