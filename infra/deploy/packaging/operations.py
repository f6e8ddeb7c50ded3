"""The zip that operators run in AWS: the functions' code, migrations and what the command line needs besides."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from infra.deploy.packaging import archive, contents, importing, wheels
from infra.local.children import PROJECT

NAME = "operations.zip"
REQUIREMENTS = PROJECT / "infra" / "deploy" / "operations-requirements.txt"
CONSTRAINTS = PROJECT / "infra" / "constraints.txt"
# modules that are run there, each from the zip's root and with nothing else
COMMANDS = ("migrations", "chalicelib.cli")
_HELP = """
import contextlib, io, runpy
sys.argv[1:] = ["--help"]
with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.suppress(SystemExit):
    runpy.run_module("{command}", run_name="__main__")
assert "sage" in output.getvalue(), output.getvalue()
"""


def build(code: Path, out: Path) -> Path:
    """Zip the functions' unpacked code with migrations and the command line's libraries, which are added to `code`."""
    shutil.copytree(PROJECT / "migrations", code / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    with tempfile.TemporaryDirectory(dir=code.parent) as scratch:
        libraries = Path(scratch)
        wheels.install(REQUIREMENTS, libraries, "--constraint", str(CONSTRAINTS))
        shutil.rmtree(libraries / "bin", ignore_errors=True)  # scripts that name the Python of the machine that builds
        for file in [file for file in libraries.rglob("*") if file.is_file()]:
            target = code / file.relative_to(libraries)
            if not target.exists():  # the functions' own version, with its bytecode, wins
                target.parent.mkdir(parents=True, exist_ok=True)
                file.rename(target)
    archive.write(code, out / NAME)
    return out / NAME


def check(unpacked: Path) -> None:
    """Start each command on an unpacked zip in a bare interpreter; what it lacks ends the build."""
    if missing := contents.missing_wheels(unpacked, REQUIREMENTS):
        raise SystemExit(f"{NAME} lacks {', '.join(missing)}.")
    for command in COMMANDS:
        importing.imported(unpacked, _HELP.format(command=command))
