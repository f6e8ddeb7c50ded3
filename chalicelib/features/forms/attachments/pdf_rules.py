"""What a PDF may hold: pages, links and forms; no scripts, no actions on opening, no other files, no passwords.

PDF names what it does by names such as /JavaScript, which may be spelt with #-escapes and may lie in compressed object
streams. So names are read unescaped, in the file's own bytes and in every object stream, which are unpacked in bounded
memory. An object stream that cannot be read here is refused: whatever a reader would make of it, nobody looked at it.
Nothing is rendered, and no other reader's idea of the file's structure is relied on.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator

MOST_UNPACKED = 200 * 1024 * 1024  # bytes of all streams together
MOST_OBJECTS = 32 * 1024 * 1024  # bytes of one object stream
MOST_STREAMS = 50_000
PIECE = 256 * 1024

# by name: what a reader would do
_SCRIPT, _FILES = "it holds a script; save it without", "it holds other files; attach them by themselves"
ACTIVE: dict[bytes, str] = {
    b"JavaScript": _SCRIPT,
    b"RichMedia": _SCRIPT,
    b"XFA": _SCRIPT,
    b"Launch": "it would start a program",
    b"SubmitForm": "it would send what is filled in elsewhere",
    b"ImportData": "it would read other files",
    b"GoToE": _FILES,
    b"EmbeddedFile": _FILES,
    b"EmbeddedFiles": _FILES,
    b"JS": _SCRIPT,
    b"AA": "it does something by itself when it is read",
}
_LONG = 5  # a name of fewer characters comes about by chance in compressed bytes, so it counts only outside of streams

_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]{1,127})")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream\r?\n")
_OPENING = re.compile(rb"/OpenAction\s*(\[|<<|(\d+)\s+(\d+)\s+R)")
_FILTERS = re.compile(rb"/Filter\s*(\[[^\]]{0,500}\]|/[^\s/<>\[\]()]{1,40})")


class UnsafePdf(Exception):  # it is an outcome of looking, and no error of ours
    """What is wrong with a PDF, in words for who uploaded it."""


def problem_of(data: bytes) -> str | None:
    """Return what is wrong with a PDF, or None."""
    try:
        _check(data)
    except UnsafePdf as refusal:
        return str(refusal)
    return None


def _check(data: bytes) -> None:
    if not data.startswith(b"%PDF-"):
        raise UnsafePdf("its content is something else")
    _check_names(data, shortest=_LONG)
    left = MOST_UNPACKED
    plain, ended = bytearray(), 0
    for number, found in enumerate(_STREAM.finditer(data)):
        if number >= MOST_STREAMS:
            raise UnsafePdf("it has more streams than any document needs")
        if found.start() < ended or data[found.start() - 3 : found.start()] == b"end":
            continue
        plain += data[ended : found.start()]
        head = _unescaped(data[max(ended, data.rfind(b"obj", 0, found.start())) : found.start()])
        names = {one[1] for one in _NAME.finditer(head)}
        if b"ObjStm" in names or {b"N", b"First"} <= names:
            objects = _objects(data, found.end(), head)
            left -= len(objects)
            plain += b"\n" + objects + b"\n"
        elif b"FlateDecode" in names:
            left -= sum(len(piece) for piece in _inflated(data, found.end(), at_most=left))
        if left < 0:
            raise UnsafePdf("it unpacks to more than any document needs")
        end = data.find(b"endstream", found.end())
        ended = len(data) if end < 0 else end
    plain += data[ended:]
    _check_objects(bytes(plain))


def _check_objects(plain: bytes) -> None:
    """Check what is outside of streams, and what was in object streams."""
    said = _unescaped(plain)
    names = _check_names(said, shortest=0)
    if b"Encrypt" in names:
        raise UnsafePdf("it is encrypted; save it without a password")
    for found in _OPENING.finditer(said):
        # to show a page on opening is common and harmless; whatever else it does is not
        if found[1] != b"[" and not _goes_to_a_page(said, found):
            raise UnsafePdf("it does something by itself when it is opened")


def _goes_to_a_page(said: bytes, found: re.Match[bytes]) -> bool:
    if found[1] == b"<<":
        action = said[found.end() : found.end() + 500]
    else:
        at = re.search(rb"(?<!\d)%s\s+%s\s+obj\s*" % (found[2], found[3]), said)
        if at is None:  # inside an object stream it stands without its number: every action there was looked at
            return b"/URI" not in said
        action = said[at.end() : at.end() + 500]
        if action.startswith(b"["):
            return True
    return re.match(rb"[^>]*?/S\s*/GoTo\b", action) is not None


def _check_names(data: bytes, *, shortest: int) -> set[bytes]:
    names = set()
    for found in _NAME.finditer(data):
        name = _unescaped(found[1]) if b"#" in found[1] else found[1]
        names.add(name)
        if len(name) >= shortest and (why := ACTIVE.get(name)):
            raise UnsafePdf(why)
    return names


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text) if b"#" in text else text


def _objects(data: bytes, start: int, head: bytes) -> bytes:
    """Unpack an object stream through its filters; Refusal where one of them cannot be read."""
    found = _FILTERS.search(head)
    if found is None and b"/Filter" in head:
        raise UnsafePdf("it hides its objects in a way that cannot be looked at")
    filters = [one[1] for one in _NAME.finditer(found[1])] if found else []
    if re.search(rb"/Predictor\s*(1[0-9]|[2-9])", head):
        raise UnsafePdf("it hides its objects in a way that cannot be looked at")
    end = data.find(b"endstream", start)
    content = data[start : len(data) if end < 0 else end]
    if filters and filters[0] == b"FlateDecode":
        content = data[start:]  # it ends by itself; "endstream" may stand in its bytes
    for one in filters:
        content = _decoded(content, one)
    if len(content) > MOST_OBJECTS:
        raise UnsafePdf("it unpacks to more than any document needs")
    return content


def _decoded(content: bytes, filter_name: bytes) -> bytes:
    try:
        if filter_name == b"FlateDecode":
            return b"".join(_inflated(content, 0, at_most=MOST_OBJECTS, strictly=True))
        if filter_name == b"ASCIIHexDecode":
            digits = re.sub(rb"\s", b"", content.partition(b">")[0])
            return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
        if filter_name == b"ASCII85Decode":
            return base64.a85decode(content.strip().removeprefix(b"<~").partition(b"~>")[0])
    except (zlib.error, binascii.Error, ValueError):
        raise UnsafePdf("it is damaged") from None
    raise UnsafePdf("it hides its objects in a way that cannot be looked at")


def _inflated(data: bytes, start: int, *, at_most: int, strictly: bool = False) -> Iterator[bytes]:
    """Inflate a stream in pieces; Refusal beyond `at_most` bytes. A damaged one ends, or raises where `strictly`."""
    inflater, total = zlib.decompressobj(), 0
    at, tail = start, b""
    while not inflater.eof and (tail or at < len(data)):
        if not tail:
            tail, at = data[at : at + PIECE], at + PIECE
        try:
            piece = inflater.decompress(tail, PIECE)
        except zlib.error:
            if strictly and not total:
                raise
            return
        tail = inflater.unconsumed_tail
        total += len(piece)
        if total > at_most:
            raise UnsafePdf("it unpacks to more than any document needs")
        yield piece
