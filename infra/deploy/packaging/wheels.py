"""Wheels for where the code runs in AWS, whatever machine builds."""

import subprocess
import sys
from pathlib import Path

PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")  # what Amazon Linux 2023 runs, in Lambda and in CodeBuild


def install(requirements: Path, into: Path, *options: str) -> None:
    """Put what a list of requirements names into a folder, from wheels alone; pip takes more `options`."""
    platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-compile",
            "--only-binary=:all:",
            *platforms,
            "--target",
            str(into),
            "--requirement",
            str(requirements),
            *options,
        ],
        check=True,
    )
