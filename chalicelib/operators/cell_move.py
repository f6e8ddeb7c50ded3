"""The zip that is handed over: for nobody's eyes but the operator's, and there whole or not at all."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.kernel.errors import Conflict


def check_free(to: Path) -> None:
    """Refuse a name that is taken: nothing is written over."""
    if to.exists():
        raise Conflict(f"{to} is there already; name another file.")


@contextmanager
def zip_at(to: Path) -> Iterator[zipfile.ZipFile]:
    """Make a zip that has its name when it is whole; killed, it leaves only `to` with .part after it."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)  # so from its first byte
    with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        yield archive
    part.rename(to)
