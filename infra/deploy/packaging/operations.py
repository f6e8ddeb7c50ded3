"""What operators run in AWS: the product as its functions have it, with migrations and the command line's own needs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from infra.deploy.packaging import archive, contents, importing, wheels
from infra.local.children import PROJECT

NAME = "operations.zip"
REQUIREMENTS = PROJECT / "infra" / "deploy" / "operations-requirements.txt"
CONSTRAINTS = PROJECT / "infra" / "constraints.txt"
# what is run there, each from the zip's root and with nothing else
COMMANDS = ("migrations", "chalicelib.cli")
_HELP = """
import contextlib, io, runpy
sys.argv[1:] = ["--help"]
with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
    runpy.run_module("{command}", run_name="__main__")
assert "sage" in said.getvalue(), said.getvalue()
"""


def build(code: Path, out: Path) -> Path:
    """Make the zip, of the functions' unpacked code and of what is missing for a person to operate it."""
    with tempfile.TemporaryDirectory() as scratch:
        whole, more = Path(scratch) / "whole", Path(scratch) / "more"
        shutil.copytree(code, whole)
        shutil.copytree(PROJECT / "migrations", whole / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
        wheels.install(REQUIREMENTS, more, "--constraint", str(CONSTRAINTS))
        shutil.rmtree(more / "bin", ignore_errors=True)  # scripts that name the Python of whoever built it
        for file in more.rglob("*"):
            there = whole / file.relative_to(more)
            if file.is_file() and not there.exists():
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, there)
        archive.write(whole, out / NAME)
    return out / NAME


def check(unpacked: Path) -> None:
    """Start each command on an unpacked zip in a bare interpreter; what it lacks ends the build."""
    if missing := contents.missing_wheels(unpacked, REQUIREMENTS):
        raise SystemExit(f"{NAME} lacks {', '.join(missing)}.")
    for command in COMMANDS:
        importing.imported(unpacked, _HELP.format(command=command))
