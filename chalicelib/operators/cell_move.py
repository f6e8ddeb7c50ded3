"""Zip files to hand over: readable by the operator only, and complete or absent."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.kernel.errors import Conflict


def check_free(to: Path) -> None:
    """Raise Conflict where the file exists: nothing is overwritten."""
    if to.exists():
        raise Conflict(f"{to} is there already; name another file.")


@contextmanager
def zip_at(to: Path) -> Iterator[zipfile.ZipFile]:
    """Write a zip under a temporary name and rename it at the end; killed, only `to` with .part after it is left."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)  # private from its first byte
    with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        yield archive
    part.rename(to)
