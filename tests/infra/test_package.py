"""What AWS would get: built once, every handler imported from the unpacked zip."""

import zipfile
from pathlib import Path

import pytest

from infra import package


@pytest.fixture(name="built", scope="module")
def _built() -> Path:
    return package.build()


class TestPackage:
    def test_imports_every_handler_by_itself(self, built: Path) -> None:
        found = package.check(built)
        assert "app.app" in found
        assert "chalicelib.features.pay_register.consumers.compute_chunk" in found
        assert "chalicelib.features.pay_register.schedules.send_due_nights" in found

    def test_carries_the_statements_and_leaves_boto3_to_lambda(self, built: Path) -> None:
        names = zipfile.ZipFile(built / "deployment.zip").namelist()
        assert "chalicelib/features/pay_register/sql/project.sql" in names
        assert not [
            name for name in names if name.startswith(("boto3/", "botocore/", "infra/", "tests/", "migrations/"))
        ]

    def test_notices_a_wheel_that_is_missing(self, built: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(built / "deployment.zip") as whole, zipfile.ZipFile(tmp_path / "x.zip", "w") as less:
            for name in whole.namelist():
                if not name.startswith("psycopg-"):
                    less.writestr(name, b"")
        assert package.missing_wheels(zipfile.ZipFile(tmp_path / "x.zip")) == ["psycopg"]
