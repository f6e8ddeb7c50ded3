"""What goes into a zip, on folders of a few files."""

import os
import sys
from pathlib import Path

import pytest

from infra.deploy.packaging import contents

HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"


def files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("answer = {'a', 'b', 'c'}\n")
    return folder


def left(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


class TestPrune:
    def test_takes_out_what_is_lambdas_own_and_what_is_never_loaded(self, tmp_path: Path) -> None:
        kept = {
            "a/one.py",
            "a/one.sql",
            "a/testing/two.py",
            "a-1.dist-info/METADATA",
            "a-1.dist-info/RECORD",
            "a-1.dist-info/entry_points.txt",
            "a-1.dist-info/licenses/LICENSE",
        }
        files(
            tmp_path,
            *kept,
            "boto3/a.py",
            "botocore-1.dist-info/METADATA",
            "a/one.pyi",
            "a/one.c",
            "a/py.typed",
            "a/tests/test_one.py",
            "a/__pycache__/one.pyc",
            "sqlalchemy/testing/a.py",
            "a-1.dist-info/WHEEL",
            "a-1.dist-info/sboms/sbom.json",
        )
        contents.prune(tmp_path)
        assert left(tmp_path) == kept
        assert not (tmp_path / "boto3").exists(), "no empty folder stays"


class TestBake:
    def test_makes_the_same_bytes_of_the_same_files(self, tmp_path: Path) -> None:
        bytecode = []
        for name in ("one", "two"):
            folder = files(tmp_path / name, "a.py", "b/c.py")
            os.utime(folder / "a.py", (len(bytecode), len(bytecode)))
            contents.bake(folder, runtime=HERE, at="/var/task")
            bytecode.append({file.name: file.read_bytes() for file in folder.rglob("*.pyc")})
        assert len(bytecode[0]) == 2
        assert bytecode[0] == bytecode[1]

    def test_is_taken_without_looking_at_the_source(self, tmp_path: Path) -> None:
        contents.bake(files(tmp_path, "a.py"), runtime=HERE, at="/var/task")
        assert contents.without_bytecode(tmp_path) == []
        [baked] = tmp_path.rglob("*.pyc")
        baked.write_bytes(baked.read_bytes()[:4] + b"\3" + baked.read_bytes()[5:])  # by hash, and compared
        assert contents.without_bytecode(tmp_path) == ["a.py"]
        baked.unlink()
        assert contents.without_bytecode(tmp_path) == ["a.py"]

    def test_refuses_another_interpreter_than_lambdas(self, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match=r"Lambda would run python2\.7"):
            contents.bake(tmp_path, runtime="python2.7", at="/var/task")


class TestMissingWheels:
    def test_names_requirements_that_are_not_installed(self, tmp_path: Path) -> None:
        requirements = tmp_path / "requirements.txt"
        requirements.write_text("# why\npsycopg[binary]==3\nPython-StdNum==2\n")
        folder = files(tmp_path, "psycopg_binary-3.dist-info/METADATA", "python_stdnum-2.dist-info/METADATA")
        assert contents.missing_wheels(folder, requirements) == ["psycopg"]
