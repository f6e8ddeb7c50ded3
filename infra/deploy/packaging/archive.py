"""Reproducible zips: the same files give the same bytes, whenever and wherever they are zipped."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest timestamp that a zip can hold
READABLE = 0o100644 << 16  # for all users, as Lambda runs the code as another


def write(folder: Path, archive: Path) -> None:
    """Zip a folder: names in order, one moment and one permission for all."""
    with ZipFile(archive, "w") as zipped:
        named = {one.relative_to(folder).as_posix(): one for one in folder.rglob("*") if one.is_file()}
        for name, file in sorted(named.items()):
            entry = ZipInfo(name, EPOCH)
            entry.external_attr, entry.create_system = READABLE, 3  # 3 is Unix, on whatever system it is built
            zipped.writestr(entry, file.read_bytes(), compress_type=ZIP_DEFLATED, compresslevel=6)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a zip into a folder, and return the folder."""
    with ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def digest(archive: Path) -> str:
    """Return a file's SHA-256."""
    with archive.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
