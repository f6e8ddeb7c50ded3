"""What AWS would get: built once, every handler imported from the unpacked zip."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import package

_TRIAL = """
import sys
sys.path[:0] = sys.argv[1:]
from chalicelib.features.payroll import document_rendering as rendering
fonts = ["Noto Sans", "Noto Sans Bengali", "Noto Sans CJK SC"]
print(rendering._can_be_set("রহিম", fonts), rendering._can_be_set("ගුණ", fonts))
"""


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

    def test_has_a_layer_for_the_function_that_makes_payslips_and_for_no_other(self, built: Path) -> None:
        said = json.loads((built / "sam.json").read_text())["Resources"].values()
        functions = [one["Properties"] for one in said if one["Type"] == "AWS::Serverless::Function"]
        [with_layer] = [one for one in functions if one.get("Layers")]
        assert with_layer["Handler"] == "chalicelib.features.payroll.document_consumers.make_payslip_documents"
        assert with_layer["Layers"] == [{"Ref": "PayslipsLayer"}]
        names = zipfile.ZipFile(built / "deployment.zip").namelist()
        assert not [name for name in names if name.startswith(("typst", "noto_cjk", "fontpkg", "justmytype"))]

    def test_makes_payslips_of_nothing_but_the_zip_and_the_layer(self, built: Path, tmp_path: Path) -> None:
        for archive in ("deployment.zip", "layer-payslips.zip"):
            zipfile.ZipFile(built / archive).extractall(tmp_path / archive)
        paths = [str(tmp_path / "deployment.zip"), str(tmp_path / "layer-payslips.zip" / "python")]
        made = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _TRIAL, *paths], capture_output=True, check=False, text=True
        )
        assert (made.stdout.strip(), made.stderr) == ("True False", ""), "one in Bengali, and none in Sinhala"

    def test_notices_a_wheel_that_is_missing(self, built: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(built / "deployment.zip") as whole, zipfile.ZipFile(tmp_path / "x.zip", "w") as less:
            for name in whole.namelist():
                if not name.startswith("psycopg-"):
                    less.writestr(name, b"")
        assert package.missing_wheels(zipfile.ZipFile(tmp_path / "x.zip")) == ["psycopg"]
