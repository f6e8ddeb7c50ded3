"""`make package`: builds what AWS would get, and proves that every handler in it imports by itself.

Chalice prints a line, exits 0 and caches a broken zip when a wheel is missing. So it works on a copy of the project,
where nothing is cached, and the zip is looked into. What is in the zip, and how it is written: infra/deploy/packaging/.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra.deploy import layers
from infra.deploy.cloud import checks, foundation, foundation_checks, grants
from infra.deploy.cloud.template import merge_template
from infra.deploy.packaging import archive, contents, importing, lazy_loading, operations
from infra.local.children import PROJECT

OUT = PROJECT / "dist"
STAGES = ("dev", "prod")
REGION = "eu-central-1"  # packaging asks for one and reaches none
LARGEST = 250 * 1024 * 1024  # bytes that Lambda takes unpacked, with the layer
DIRECT = 50 * 1024 * 1024  # bytes that Lambda takes in one call; more goes by S3, as `cloudformation package` does
PACKED = ("app.py", "chalicelib", ".chalice/config.json", "requirements.txt")
# bytes that CloudFormation takes of a template: by itself, and by way of a bucket
TOO_LARGE = {"foundation.json": 51_200, "sam.json": 1_000_000}
YARDSTICK = "with Pydantic, SQLAlchemy, psycopg"
CODE = "/var/task"  # where Lambda unpacks the zip


def build(stage: str = "dev", *, out: Path = OUT) -> Path:
    """Build the zips, the layers and the templates of a stage from nothing, and return their folder."""
    if stage not in STAGES:
        raise SystemExit(f"There is no stage {stage}. There are: {', '.join(STAGES)}.")
    out = contents.clear(out.resolve())
    with tempfile.TemporaryDirectory() as scratch:
        copy, unpacked = Path(scratch) / "project", Path(scratch) / "unpacked"
        _copy(copy)
        ours = Path(scratch) / "merge.json"
        ours.write_text(json.dumps(merge_template(stage)))
        subprocess.run(
            [Path(sys.executable).with_name("chalice"), "package", "--stage", stage, "--merge-template", ours, out],
            cwd=copy,
            env={**os.environ, "AWS_DEFAULT_REGION": REGION},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        layers.build(out)
        (out / "foundation.json").write_text(json.dumps(foundation.document(stage)))  # one line: see TOO_LARGE
        _check_templates(out, stage)
        archive.unpack(out / "deployment.zip", unpacked)
        if missing := contents.missing_wheels(unpacked, PROJECT / "requirements.txt"):
            raise SystemExit(f"The zip lacks {', '.join(missing)}: no wheel for Lambda was found.")
        contents.prune(unpacked)
        lazy_loading.write(unpacked)
        contents.bake(unpacked, runtime=runtime(out / "sam.json"), at=CODE)
        archive.write(unpacked, out / "deployment.zip")
        operations.build(unpacked, out)
    return out


def _check_templates(out: Path, stage: str) -> None:
    above, below = (json.loads((out / name).read_text()) for name in ("sam.json", "foundation.json"))
    wrong = [
        *checks.problems(above),
        *grants.problems(above),
        *foundation_checks.problems(below, stage),
        *foundation_checks.between(above, below),
    ]
    for name, most in TOO_LARGE.items():
        if (there := len(json.dumps(json.loads((out / name).read_text())))) > most:
            wrong.append(f"{name} has {there:,} bytes, and CloudFormation takes {most:,}")
    if wrong:
        raise SystemExit("The templates are not as they should be:\n" + "\n".join(wrong))


def functions(template: Path) -> list[dict[str, Any]]:
    """Return the properties of each function of a template."""
    resources = json.loads(template.read_text())["Resources"].values()
    return [one["Properties"] for one in resources if one["Type"] == "AWS::Serverless::Function"]


def handlers(template: Path) -> list[str]:
    """List the handlers that AWS calls, as `module.name`."""
    return sorted({one["Handler"] for one in functions(template)})


def runtime(template: Path) -> str:
    """Return the interpreter of all functions, such as python3.11."""
    [name] = {one["Runtime"] for one in functions(template)}
    return str(name)


def check(folder: Path) -> dict[str, float]:
    """Check everything that was built, and return the milliseconds that each handler's cold import takes."""
    with tempfile.TemporaryDirectory() as scratch:
        times = check_code(folder, archive.unpack(folder / "deployment.zip", Path(scratch)))
    with tempfile.TemporaryDirectory() as scratch:
        operations.check(archive.unpack(folder / operations.NAME, Path(scratch)))
    return times


def check_code(folder: Path, unpacked: Path, *, preload: str = "") -> dict[str, float]:
    """Check the unpacked zip of the functions and import every handler from it; `preload` as for `imported_each`.

    Returns the milliseconds of each handler. Raises SystemExit with what is wrong.
    """
    if missing := contents.missing_wheels(unpacked, PROJECT / "requirements.txt"):
        raise SystemExit(f"The zip lacks {', '.join(missing)}: no wheel for Lambda was found.")
    if uncompiled := contents.without_bytecode(unpacked):
        raise SystemExit(f"{len(uncompiled)} modules would be compiled at each cold start, {uncompiled[0]} among them.")
    if duplicates := contents.lambdas_own(unpacked):
        raise SystemExit(f"The zip carries {', '.join(duplicates)}, which Lambda has by itself.")
    sizes(folder, contents.size(unpacked))
    statements = {name: importing.handler(name) for name in handlers(folder / "sam.json")}
    return importing.imported_each(unpacked, statements, preload=preload)


def sizes(folder: Path, code: int) -> None:
    """Print the size of each zip; `code` is the code's unpacked. Raises SystemExit if Lambda would refuse it."""
    for zipped in [folder / "deployment.zip", *sorted(folder.glob("layer-*.zip"))]:
        layer = 0 if zipped.name == "deployment.zip" else layers.size(zipped)
        packed = zipped.stat().st_size
        by = "may be sent in one call" if packed <= DIRECT else "goes by S3"
        print(f"  {zipped.name:22} {packed / 1e6:6.1f} MB zipped ({by}), {(layer or code) / 1e6:6.1f} MB unpacked")
        if code + layer > LARGEST:
            raise SystemExit(f"With {zipped.name} it has {code + layer:,} bytes, and Lambda takes {LARGEST:,}.")
        print(f"  {'sha256':22} {archive.digest(zipped)}")


def cold(unpacked: Path) -> dict[str, float]:
    """Measure cold imports: bare Chalice, the same with the libraries of the API, and the API itself."""
    return importing.medians(
        unpacked,
        {
            "bare Chalice": importing.CHALICE,
            YARDSTICK: importing.YARDSTICK,
            importing.API: importing.handler(importing.API),
        },
    )


def first_requests(unpacked: Path, *, preload: str = "") -> dict[str, float]:
    """Register each feature's routes by themselves, as its first request does, and return milliseconds by path.

    Paths that need the same modules share one process; the first of them names it. `preload` as for `imported_each`.
    """
    paths_by_modules: dict[tuple[str, ...], list[str]] = {}
    for path, modules in lazy_loading.table().items():
        paths_by_modules.setdefault(tuple(modules), []).append(path)
    statements = {paths[0]: "\n".join(map(lazy_loading.statement, paths)) for paths in paths_by_modules.values()}
    return importing.imported_each(unpacked, statements, preload=preload)


def _copy(project: Path) -> None:
    for name in PACKED:
        to = project / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(PROJECT / name, to)


def main() -> None:
    """Build and check a stage, and print sizes and import times."""
    stage = os.environ.get("STAGE") or "dev"
    folder = build(stage)
    print(f"{stage}, for {runtime(folder / 'sam.json')}, in {folder.relative_to(PROJECT)}/")
    for handler, milliseconds in check(folder).items():
        print(f"  {milliseconds:6.0f} ms  {handler}")
    with tempfile.TemporaryDirectory() as scratch:
        unpacked = archive.unpack(folder / "deployment.zip", Path(scratch))
        times, late = cold(unpacked), first_requests(unpacked)
    print(f"Cold imports, medians of {importing.RUNS} runs:")
    for name, milliseconds in times.items():
        print(f"  {milliseconds:6.0f} ms  {milliseconds / times[YARDSTICK]:5.2f} times  {name}")
    print("The API's import and then the routes of one path, one run each:")
    slowest = max(late, key=lambda path: late[path])
    print(f"  {statistics.median(late.values()):6.0f} ms  in the middle of {len(late)} features' routes")
    print(f"  {late[slowest]:6.0f} ms  at most, {slowest}")
    # A build is not refused for this: it may be what mends an outage, on a machine that is busy.
    if times[importing.API] > importing.MOST * times[YARDSTICK]:
        print(f"The API's cold import takes more than {importing.MOST} times what it stands on.")


if __name__ == "__main__":
    main()
