"""The contents of a zip: what Lambda needs, nothing else, and bytecode of every module.

Lambda's disk is read-only and Chalice packs no bytecode, so every cold start would compile every module anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath

# boto3 and what it brings are Lambda's own; the rest is never loaded: types for editors, sources of what is compiled,
# tests, and SQLAlchemy's own test harness
LAMBDAS_OWN = {"boto3", "botocore", "s3transfer"}
NOT_LOADED = {".pyi", ".pyx", ".pxd", ".c", ".h", ".cpp", ".a", ".pyc"}
NOT_RUN = {"__pycache__", "tests", "sqlalchemy/testing"}
# of a distribution's notes: what importlib.metadata and scanners for vulnerabilities read, and the licences
NOTES = re.compile(r"[^/]+\.dist-info/(METADATA|RECORD|entry_points\.txt|LICEN[CS]E.*|licenses/.*)")
UNCHECKED = 0b01  # the flags of a .pyc that is taken as it is: named by hash, and not compared with its source


def prune(folder: Path) -> None:
    """Delete from an unpacked zip what Lambda does not need."""
    for file in list(_files(folder)):
        if not _needed(file.relative_to(folder)):
            file.unlink()
    for empty in sorted((one for one in folder.rglob("*") if one.is_dir()), reverse=True):
        if not any(empty.iterdir()):
            empty.rmdir()


def bake(folder: Path, *, runtime: str, at: str) -> None:
    """Compile every module for the interpreter of `runtime`; `at` is where Lambda unpacks it.

    One fresh process does all of it in order, and with fixed hashes, because what Python writes depends on both.
    """
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if runtime != here:
        raise SystemExit(f"Lambda would run {runtime}, and this is {here}: it cannot make bytecode that is read there.")
    subprocess.run(
        [
            sys.executable,
            "-s",
            "-S",
            "-m",
            "compileall",
            "-q",
            "-f",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            str(folder),
            "-p",
            at,
            str(folder),
        ],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def without_bytecode(folder: Path) -> list[str]:
    """List modules whose bytecode is missing, or would be compared with the source at each start."""
    uncompiled = []
    for source in _files(folder):
        if source.suffix == ".py":
            name = f"{source.stem}.{sys.implementation.cache_tag}.pyc"
            baked = source.parent / "__pycache__" / name
            flags = int.from_bytes(baked.read_bytes()[4:8], "little") if baked.exists() else None
            if flags != UNCHECKED:
                uncompiled.append(str(source.relative_to(folder)))
    return uncompiled


def missing_wheels(folder: Path, requirements: Path) -> list[str]:
    """List requirements of which an unpacked zip holds no installed distribution."""
    required = re.findall(r"^([A-Za-z0-9_.-]+)", requirements.read_text(), re.MULTILINE)
    there = {_plain(note.parent.name.split("-")[0]) for note in folder.glob("*.dist-info/METADATA")}
    return [name for name in required if _plain(name) not in there]


def lambdas_own(folder: Path) -> list[str]:
    """List packages in an unpacked zip that Lambda provides itself."""
    return sorted(one.name for one in folder.iterdir() if one.name.split("-")[0] in LAMBDAS_OWN)


def size(folder: Path) -> int:
    """Return the bytes of an unpacked zip."""
    return sum(file.stat().st_size for file in _files(folder))


def clear(folder: Path) -> Path:
    """Empty a folder, creating it if needed, and return it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _files(folder: Path) -> Iterator[Path]:
    return (one for one in folder.rglob("*") if one.is_file())


def _needed(name: PurePath) -> bool:
    path = name.as_posix()
    if name.suffix in NOT_LOADED or name.name == "py.typed" or name.parts[0].split("-")[0] in LAMBDAS_OWN:
        return False
    if any(f"/{part}/" in f"/{path}" for part in NOT_RUN):
        return False
    return ".dist-info/" not in path or bool(NOTES.search(path))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
