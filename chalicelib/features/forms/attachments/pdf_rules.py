"""What a PDF may hold: pages, links and forms; no scripts, no actions on opening, no other files, no passwords.

PDF names what it does by names such as /JavaScript, which may be spelt with #-escapes and may lie in compressed object
streams. So names are read unescaped, in the file's own bytes and in every object stream, which are unpacked in bounded
memory. An object stream that cannot be read here is refused, as it was not checked.
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


class UnsafePdf(Exception):  # an outcome of the check, and no error of ours
    """What is wrong with a PDF, in words for who uploaded it."""


def check_pdf(data: bytes) -> str | None:
    """Return what is wrong with a PDF, or None."""
    try:
        _check(data)
    except UnsafePdf as refusal:
        return str(refusal)
    return None


def _check(data: bytes) -> None:
    """Check a file's bytes, and unpack its streams: object streams are checked as its own bytes are."""
    if not data.startswith(b"%PDF-"):
        raise UnsafePdf("its content is something else")
    _check_names(data, shortest=_LONG)
    left = MOST_UNPACKED
    plain, ended = bytearray(), 0
    for number, stream in enumerate(_STREAM.finditer(data)):
        if number >= MOST_STREAMS:
            raise UnsafePdf("it has more streams than any document needs")
        if stream.start() < ended or data[stream.start() - 3 : stream.start()] == b"end":
            continue
        plain += data[ended : stream.start()]
        head = _unescape(data[max(ended, data.rfind(b"obj", 0, stream.start())) : stream.start()])
        names = {match[1] for match in _NAME.finditer(head)}
        if b"ObjStm" in names or {b"N", b"First"} <= names:
            objects = _unpack_objects(data, stream.end(), head)
            left -= len(objects)
            plain += b"\n" + objects + b"\n"
        elif b"FlateDecode" in names:
            left -= sum(len(piece) for piece in _inflate(data, stream.end(), at_most=left))
        if left < 0:
            raise UnsafePdf("it unpacks to more than any document needs")
        end = data.find(b"endstream", stream.end())
        ended = len(data) if end < 0 else end
    plain += data[ended:]
    _check_objects(bytes(plain))


def _check_objects(plain: bytes) -> None:
    """Check what is outside of streams, and what was in object streams."""
    text = _unescape(plain)
    names = _check_names(text, shortest=0)
    if b"Encrypt" in names:
        raise UnsafePdf("it is encrypted; save it without a password")
    for open_action in _OPENING.finditer(text):
        # to show a page on opening is common and harmless; whatever else it does is not
        if open_action[1] != b"[" and not _is_page_destination(text, open_action):
            raise UnsafePdf("it does something by itself when it is opened")


def _is_page_destination(text: bytes, open_action: re.Match[bytes]) -> bool:
    """Return whether an action on opening does no more than show a page."""
    if open_action[1] == b"<<":
        action = text[open_action.end() : open_action.end() + 500]
    else:
        target = re.search(rb"(?<!\d)%s\s+%s\s+obj\s*" % (open_action[2], open_action[3]), text)
        if target is None:  # inside an object stream it stands without its number: every action there was checked
            return b"/URI" not in text
        action = text[target.end() : target.end() + 500]
        if action.startswith(b"["):
            return True
    return re.match(rb"[^>]*?/S\s*/GoTo\b", action) is not None


def _check_names(data: bytes, *, shortest: int) -> set[bytes]:
    """Return the names in some bytes. Raises UnsafePdf for an active one of at least `shortest` characters."""
    names = set()
    for match in _NAME.finditer(data):
        name = _unescape(match[1]) if b"#" in match[1] else match[1]
        names.add(name)
        if len(name) >= shortest and (why := ACTIVE.get(name)):
            raise UnsafePdf(why)
    return names


def _unescape(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), text) if b"#" in text else text


def _unpack_objects(data: bytes, start: int, head: bytes) -> bytes:
    """Unpack an object stream through its filters. Raises UnsafePdf where one of them cannot be read."""
    match = _FILTERS.search(head)
    if match is None and b"/Filter" in head:
        raise UnsafePdf("it hides its objects in a way that cannot be looked at")
    filters = [name[1] for name in _NAME.finditer(match[1])] if match else []
    if re.search(rb"/Predictor\s*(1[0-9]|[2-9])", head):
        raise UnsafePdf("it hides its objects in a way that cannot be looked at")
    end = data.find(b"endstream", start)
    content = data[start : len(data) if end < 0 else end]
    if filters and filters[0] == b"FlateDecode":
        content = data[start:]  # it ends by itself; "endstream" may stand in its bytes
    for name in filters:
        content = _decode(content, name)
    if len(content) > MOST_OBJECTS:
        raise UnsafePdf("it unpacks to more than any document needs")
    return content


def _decode(content: bytes, filter_name: bytes) -> bytes:
    """Decode a content by one filter. Raises UnsafePdf where it cannot be read."""
    try:
        if filter_name == b"FlateDecode":
            return b"".join(_inflate(content, 0, at_most=MOST_OBJECTS, strictly=True))
        if filter_name == b"ASCIIHexDecode":
            digits = re.sub(rb"\s", b"", content.partition(b">")[0])
            return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
        if filter_name == b"ASCII85Decode":
            return base64.a85decode(content.strip().removeprefix(b"<~").partition(b"~>")[0])
    except (zlib.error, binascii.Error, ValueError):
        raise UnsafePdf("it is damaged") from None
    raise UnsafePdf("it hides its objects in a way that cannot be looked at")


def _inflate(data: bytes, start: int, *, at_most: int, strictly: bool = False) -> Iterator[bytes]:
    """Inflate a stream in pieces. A damaged one ends; with `strictly` it raises zlib.error.

    Raises UnsafePdf beyond `at_most` bytes.
    """
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
