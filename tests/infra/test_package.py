"""What AWS would get: built once, unpacked once, every handler imported from the unpacked zip.

`make package` imports each handler cold. Here the handlers are forked from an interpreter that has the zip's libraries:
each still imports all of our own modules by itself, and the libraries are imported once.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chalicelib.entry.registry import ENDPOINTS
from infra.deploy import layers, package
from infra.deploy.packaging import archive, contents, importing, operations
from tests.support.api import event
from tests.support.cast import tenant

_TRIAL = """
import sys
sys.path[:0] = sys.argv[1:]
from chalicelib.features.payroll.documents import rendering
fonts = ["Noto Sans", "Noto Sans Bengali", "Noto Sans CJK SC"]
print(rendering._can_be_rendered("রহিম", fonts), rendering._can_be_rendered("ගුණ", fonts))
"""

# Some need a filter, and some are for the platform or an employee: these refuse, which is an answer too.
_LIST_ALL = """
import json, app
context = type("Context", (), {{"aws_request_id": "1", "get_remaining_time_in_millis": lambda self: 29000}})()
answers = {{each["path"]: app.app(each, context) for each in json.load(open({events!r}))}}
wrong = {{path: one["body"] for path, one in answers.items() if one["statusCode"] not in (200, 403, 404, 409, 422)}}
assert not wrong, wrong
listed = [path for path, one in answers.items() if one["statusCode"] == 200 and '"items"' in one["body"]]
assert len(listed) > 25, listed
"""


@pytest.fixture(name="built", scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.build("dev", out=tmp_path_factory.mktemp("package"))


@pytest.fixture(name="unpacked", scope="module")
def _unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive.unpack(built / "deployment.zip", tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(name="layer", scope="module")
def _layer(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive.unpack(built / "layer-payslips.zip", tmp_path_factory.mktemp("layer"))


def reduced(unpacked: Path, folder: Path, *, without: str) -> Path:
    """Link the unpacked zip's files into a folder, except those whose name begins with `without`."""

    def ignored(_: str, names: list[str]) -> list[str]:
        return [name for name in names if name.startswith(without)]

    return Path(shutil.copytree(unpacked, folder / "reduced", ignore=ignored, copy_function=os.link))


class TestOperations:
    def test_carry_what_a_person_runs_and_no_script_of_this_machine(self, built: Path) -> None:
        names = zipfile.ZipFile(built / operations.NAME).namelist()
        assert {"app.py", "boto3/__init__.py", "migrations/roles.sql", "migrations/__main__.py"} <= set(names)
        assert not [name for name in names if name.startswith(("bin/", "infra/", "tests/"))]

    def test_are_refused_without_one_of_their_wheels(self, built: Path, tmp_path: Path) -> None:
        whole = archive.unpack(built / operations.NAME, tmp_path / "whole")
        operations.check(whole)
        shutil.rmtree(whole / "alembic")
        with pytest.raises(SystemExit, match="No module named 'alembic'"):
            operations.check(whole)


class TestPackage:
    def test_imports_every_handler_by_itself(
        self, built: Path, unpacked: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        times = package.check_code(built, unpacked, preload=importing.YARDSTICK)
        assert set(times) == set(package.handlers(built / "sam.json"))
        assert "app.app" in times
        assert "chalicelib.features.pay_register.consumers.compute_chunk" in times
        assert "chalicelib.features.pay_register.nightly_job.send_due_nights" in times
        output = capsys.readouterr().out
        assert "MB zipped (may be sent in one call)" in output
        assert "(goes by S3)" in output, "the layer of fonts is above 50 MB"

    def test_registers_the_routes_of_each_path_by_itself_and_none_before(self, unpacked: Path) -> None:
        assert len(package.first_requests(unpacked, preload="import app; assert not app.app.routes")) > 20

    def test_answers_a_request_from_the_zip_alone(self, unpacked: Path) -> None:
        event = {
            "requestContext": {"resourcePath": "/docs", "httpMethod": "GET", "path": "/api/docs"},
            "headers": {},
            "multiValueHeaders": {},
            "pathParameters": None,
            "stageVariables": None,
            "multiValueQueryStringParameters": None,
            "body": None,
            "isBase64Encoded": False,
        }
        importing.imported(unpacked, f"import app; assert app.app({event}, None)['statusCode'] == 200")
        event["requestContext"] = {"resourcePath": "/openapi.json", "httpMethod": "GET", "path": "/api/openapi.json"}
        importing.imported(unpacked, f"import app; assert '/balances/{{month}}' in app.app({event}, None)['body']")

    @pytest.mark.usefixtures("database")
    def test_answers_from_the_database_at_every_endpoint_that_lists(self, unpacked: Path, tmp_path: Path) -> None:
        # In one process, as in Lambda: each feature's routes are imported at their first request.
        caller = tenant("Acme").admin
        paths = [one.path for one in ENDPOINTS if one.method == "GET" and "{" not in one.path and one.path != "/health"]
        events = [event("GET", path, None, {"x-api-key": str(caller.key)}) for path in paths]
        (tmp_path / "events.json").write_text(json.dumps(events))
        importing.imported(unpacked, _LIST_ALL.format(events=str(tmp_path / "events.json")))

    def test_carries_the_statements_and_leaves_boto3_to_lambda(self, built: Path, unpacked: Path) -> None:
        names = zipfile.ZipFile(built / "deployment.zip").namelist()
        assert "chalicelib/features/pay_register/sql/project.sql" in names
        assert not [name for name in names if name.startswith(("infra/", "tests/", "migrations/"))]
        assert contents.lambdas_own(unpacked) == []

    def test_has_bytecode_of_every_module_that_is_taken_without_looking_at_the_source(
        self, unpacked: Path, layer: Path
    ) -> None:
        assert contents.without_bytecode(unpacked) == []
        assert contents.without_bytecode(layer) == []
        code = (unpacked / "__pycache__" / f"app.{sys.implementation.cache_tag}.pyc").read_bytes()
        assert b"/var/task/app.py" in code, "a traceback names the file where Lambda has it"

    def test_leaves_out_what_is_never_loaded_and_keeps_versions_and_licences(self, built: Path) -> None:
        names = zipfile.ZipFile(built / "deployment.zip").namelist()
        assert not [name for name in names if name.endswith((".pyi", ".pyx", ".c", "/WHEEL")) or "/tests/" in name]
        notes = [name for name in names if name.startswith("sqlalchemy-") and not name.endswith("/RECORD")]
        assert {name.partition("/")[2].split("/")[0] for name in notes} == {"METADATA", "licenses"}

    def test_is_written_in_order_at_one_moment_for_the_code_and_the_layers(self, built: Path) -> None:
        for zipped in built.glob("*.zip"):
            entries = zipfile.ZipFile(zipped).infolist()
            assert [one.filename for one in entries] == sorted(one.filename for one in entries)
            assert {(one.date_time, one.external_attr) for one in entries} == {(archive.EPOCH, archive.READABLE)}

    def test_has_a_layer_for_the_function_that_makes_payslips_and_for_no_other(self, built: Path) -> None:
        [with_layer] = [one for one in package.functions(built / "sam.json") if one.get("Layers")]
        assert with_layer["Handler"] == "chalicelib.features.payroll.documents.consumers.make_payslip_documents"
        assert with_layer["Layers"] == [{"Ref": "PayslipsLayer"}]
        names = zipfile.ZipFile(built / "deployment.zip").namelist()
        assert not [name for name in names if name.startswith(("typst", "noto_cjk", "fontpkg", "justmytype"))]

    def test_makes_payslips_of_nothing_but_the_zip_and_the_layer(self, unpacked: Path, layer: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", _TRIAL, str(unpacked), str(layer / "python")],
            capture_output=True,
            check=False,
            text=True,
        )
        assert (done.stdout.strip(), done.stderr) == ("True False", ""), "one in Bengali, and none in Sinhala"

    def test_refuses_a_zip_without_one_of_the_wheels(self, built: Path, unpacked: Path, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match="lacks psycopg:"):
            package.check_code(built, reduced(unpacked, tmp_path, without="psycopg-"))

    def test_refuses_a_zip_without_what_a_wheel_brings(self, built: Path, unpacked: Path, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match="No module named 'typing_inspection'"):
            package.check_code(built, reduced(unpacked, tmp_path, without="typing_inspection"))

    def test_refuses_a_zip_that_would_be_compiled_at_each_start(
        self, built: Path, unpacked: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(SystemExit, match="modules would be compiled at each cold start"):
            package.check_code(built, reduced(unpacked, tmp_path, without="__pycache__"))

    def test_refuses_more_than_lambda_takes_with_the_layer(self, built: Path) -> None:
        layer = layers.size(built / "layer-payslips.zip")
        package.sizes(built, package.LARGEST - layer)
        with pytest.raises(SystemExit, match=r"With layer-payslips\.zip it has 262,144,001 bytes"):
            package.sizes(built, package.LARGEST - layer + 1)

    def test_serves_both_stages_under_the_same_path(self, built: Path) -> None:
        config = json.loads((package.PROJECT / ".chalice" / "config.json").read_text())
        stages, default = config["stages"], config["api_gateway_stage"]
        assert set(package.STAGES) <= set(stages)
        assert {stages[name].get("api_gateway_stage", default) for name in package.STAGES} == {"api"}
        assert json.loads((built / "sam.json").read_text())["Resources"]["RestAPI"]["Properties"]["StageName"] == "api"
        with pytest.raises(SystemExit, match="There is no stage staging"):
            package.build("staging")
