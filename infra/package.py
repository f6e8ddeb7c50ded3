"""`make package`: builds what AWS would get, and proves that every handler in it imports by itself.

Chalice prints a line, exits 0 and caches a broken zip when a wheel is missing, so its cache is thrown away first and
the zip is looked into.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from infra import layers
from infra.local.children import PROJECT

OUT = PROJECT / "dist"
REGION = "eu-central-1"  # packaging asks for one and reaches none
LARGEST = 250 * 1024 * 1024  # bytes that Lambda takes unpacked

# The interpreter is bare (-I -S): what the zip does not hold is not there. boto3 is Lambda's own, and loaded lazily.
_IMPORT = """
import importlib, sys, time
sys.path.insert(0, sys.argv[1])
module, _, name = sys.argv[2].rpartition(".")
started = time.perf_counter()
assert callable(getattr(importlib.import_module(module), name))
print(round((time.perf_counter() - started) * 1000))
"""


def build() -> Path:
    """This will run `chalice package` from nothing and give the folder with the zip, the layers and the template."""
    shutil.rmtree(PROJECT / ".chalice" / "deployments", ignore_errors=True)
    shutil.rmtree(OUT, ignore_errors=True)
    subprocess.run(
        [Path(sys.executable).with_name("chalice"), "package", "--stage", "api", str(OUT)],
        cwd=PROJECT,
        env={**os.environ, "AWS_DEFAULT_REGION": REGION},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    layers.build(OUT)
    return OUT


def handlers(template: Path) -> list[str]:
    """This will list what AWS would call, as `module.name`."""
    resources = json.loads(template.read_text())["Resources"].values()
    found = {r["Properties"]["Handler"] for r in resources if r["Type"] == "AWS::Serverless::Function"}
    return sorted(found)


def missing_wheels(archive: zipfile.ZipFile) -> list[str]:
    """This will list requirements of which the zip holds no installed distribution."""
    wanted = re.findall(r"^([A-Za-z0-9_.-]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    there = {name.split("-")[0].lower().replace("_", "-") for name in archive.namelist() if ".dist-info/" in name}
    return [name for name in wanted if name.lower().replace("_", "-") not in there]


def check(folder: Path) -> dict[str, int]:
    """This will import every handler from the zip, each in an interpreter of its own, and give the milliseconds."""
    with zipfile.ZipFile(folder / "deployment.zip") as archive, tempfile.TemporaryDirectory() as unpacked:
        if missing := missing_wheels(archive):
            raise SystemExit(f"The zip lacks {', '.join(missing)}: no wheel for Lambda was found.")
        archive.extractall(unpacked)
        size = sum(file.stat().st_size for file in Path(unpacked).rglob("*") if file.is_file())
        if size > LARGEST:
            raise SystemExit(f"Unpacked it has {size:,} bytes, and Lambda takes {LARGEST:,}.")
        print(f"{(folder / 'deployment.zip').stat().st_size / 1e6:.1f} MB zipped, {size / 1e6:.1f} MB unpacked")
        for layer in sorted(folder.glob("layer-*.zip")):
            beside = layers.size(layer)
            if size + beside > LARGEST:
                raise SystemExit(f"With {layer.name} it has {size + beside:,} bytes, and Lambda takes {LARGEST:,}.")
            print(f"{layer.stat().st_size / 1e6:.1f} MB zipped, {beside / 1e6:.1f} MB unpacked: {layer.name}")
        return {handler: _import(unpacked, handler) for handler in handlers(folder / "sam.json")}


def _import(unpacked: str, handler: str) -> int:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _IMPORT, unpacked, handler], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{handler} does not import from the zip:\n{done.stderr}")
    return int(done.stdout)


def main() -> None:
    """This will build, check, and print each handler with its import time."""
    for handler, milliseconds in check(build()).items():
        print(f"{milliseconds:6} ms  {handler}")


if __name__ == "__main__":
    main()
