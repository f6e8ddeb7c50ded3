"""Everything of a tenant in one file: every table, nobody else's rows, and nothing secret unless asked."""

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chalicelib.backing import files
from chalicelib.operators import bucket, export
from infra.local import aws
from tests.architecture.catalog import tenant_tables
from tests.cli.conftest import Cli
from tests.cli.test_rotation import IBANS, company
from tests.support import stack
from tests.support.cast import Cast


@pytest.fixture(name="acme", scope="module")
def _acme(database: object) -> Cast:
    company("Zenith")  # the stranger, with the very same bank details
    return company("Acme")


def exported(cli: Cli, cast: Cast, to: Path, *more: str) -> dict[str, list[dict[str, Any]]]:
    """Export a tenant and read the file back, by table."""
    result = cli("tenants", "export", "--tenant", cast.slug, "--to", str(to), "--json", *more)
    assert result.code == 0, result.err
    with zipfile.ZipFile(to) as archive:
        assert archive.testzip() is None
        found = {
            name.removesuffix(".jsonl"): [json.loads(line) for line in archive.read(name).decode().splitlines()]
            for name in archive.namelist()
            if name.endswith(".jsonl")
        }
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["rows"] == result.json["rows"] == {table: len(rows) for table, rows in found.items()}
    return found


class TestExport:
    def test_holds_every_table_and_every_row_of_it_and_nobody_elses(
        self, cli: Cli, acme: Cast, root: psycopg.Connection, tmp_path: Path
    ) -> None:
        found = exported(cli, acme, tmp_path / "acme.zip")
        tables = tenant_tables(root)
        assert set(found) == set(tables)
        for table, key in tables.items():
            counted = root.execute(f"select count(*) from {table} where {key} = %s", [acme.id]).fetchone()
            assert counted is not None
            assert len(found[table]) == counted[0], table
            assert {row[key] for row in found[table]} <= {str(acme.id)}
        assert [row["name"] for row in found["users"]] == ["Person 0", "Person 1", "Person 2"]

    def test_holds_no_bank_details_and_no_keys(self, cli: Cli, acme: Cast, tmp_path: Path) -> None:
        found = exported(cli, acme, tmp_path / "acme.zip")
        result = json.dumps(found)
        assert not [iban for iban in IBANS if iban in result]
        assert "whsec_" not in result
        assert "key_hash" not in result
        assert "\\\\x" not in result  # no bytes at all
        assert {"****" in row["masked"] for row in found["payout_destinations"]} == {True}

    def test_holds_bank_details_where_asked_and_no_keys_even_then(self, cli: Cli, acme: Cast, tmp_path: Path) -> None:
        found = exported(cli, acme, tmp_path / "acme.zip", "--with-secrets")
        opened = [json.loads(row["sealed"])["iban"] for row in found["payout_destinations"]]
        assert sorted(opened) == sorted(IBANS * 2)
        assert json.loads(found["bank_file_settings"][0]["payer_sealed"])["iban"] == IBANS[0]
        assert found["webhook_endpoints"][0]["secret_sealed"].startswith("whsec_")
        result = json.dumps(found)
        assert "key_hash" not in result
        assert "wrapped" not in result

    def test_is_audited_with_whether_secrets_were_in_it(
        self, cli: Cli, acme: Cast, root: psycopg.Connection, tmp_path: Path
    ) -> None:
        exported(cli, acme, tmp_path / "acme.zip", "--with-secrets")
        row = root.execute(
            "select after from audit_logs where tenant_id = %s and action = 'tenant.exported'"
            " order by seq desc limit 1",
            [acme.id],
        ).fetchone()
        assert row == ({"with_secrets": True, "with_files": False},)

    def test_covers_a_table_that_is_new(self, cli: Cli, acme: Cast, root: psycopg.Connection, tmp_path: Path) -> None:
        root.execute("create table brand_new (tenant_id uuid, word text); grant select on brand_new to wagebook_app")
        root.execute("insert into brand_new values (%s, 'hello')", [acme.id])
        try:
            assert [row["word"] for row in exported(cli, acme, tmp_path / "acme.zip")["brand_new"]] == ["hello"]
        finally:
            root.execute("drop table brand_new")


class TestFiles:
    @pytest.fixture(name="s3")
    def _s3(self) -> Iterator[Any]:
        with stack.running():
            yield files.client()

    def test_are_in_it_where_asked_and_nobody_elses(self, cli: Cli, acme: Cast, s3: Any, tmp_path: Path) -> None:
        large = bytes(range(256)) * 20_000  # more than one piece
        mine = {"payslips/p/1": b"%PDF", "attachments/a/2": large, "quarantine/q": b"nobody looked at it"}
        for key, body in mine.items():
            s3.put_object(Bucket=aws.BUCKET, Key=f"tenants/{acme.id}/{key}", Body=body)
        s3.put_object(Bucket=aws.BUCKET, Key=f"tenants/{uuid4()}/payslips/p/3", Body=b"a stranger's")
        result = cli(
            "tenants", "export", "--tenant", acme.slug, "--to", str(tmp_path / "acme.zip"), "--json", "--with-files"
        )
        assert result.code == 0, result.err
        with zipfile.ZipFile(tmp_path / "acme.zip") as archive:
            found = {name: archive.read(name) for name in archive.namelist() if name.startswith("files/")}
            manifest = json.loads(archive.read("manifest.json"))
        assert found == {"files/payslips/p/1": b"%PDF", "files/attachments/a/2": large}
        assert (
            manifest["files"]
            == result.json["files"]
            == {
                "count": 2,
                "bytes": 5_120_004,
                "gone": 0,
                "folders": {"attachments": {"count": 1, "bytes": 5_120_000}, "payslips": {"count": 1, "bytes": 4}},
            }
        )

    def test_are_listed_over_all_pages(self, cli: Cli, acme: Cast, s3: Any, tmp_path: Path) -> None:
        for number in range(1001):  # a page has a thousand
            s3.put_object(Bucket=aws.BUCKET, Key=f"tenants/{acme.id}/payslips/{number}/x", Body=b"x")
        result = cli("tenants", "export", "--tenant", acme.slug, "--to", str(tmp_path / "acme.zip"), "--with-files")
        assert result.code == 0, result.err
        assert "1001 files of 1001 bytes" in result.out

    def test_that_vanish_meanwhile_are_counted(
        self, cli: Cli, acme: Cast, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone = bucket.StoredFile(f"tenants/{acme.id}/payslips/gone/x", 5)
        monkeypatch.setattr(bucket, "list_files", lambda _: iter([gone]))
        result = cli(
            "tenants", "export", "--tenant", acme.slug, "--to", str(tmp_path / "acme.zip"), "--json", "--with-files"
        )
        assert result.json["files"] == {"count": 0, "bytes": 0, "gone": 1, "folders": {}}


class TestFile:
    def test_is_for_its_owner_only(self, cli: Cli, acme: Cast, tmp_path: Path) -> None:
        exported(cli, acme, tmp_path / "acme.zip")
        assert stat.S_IMODE((tmp_path / "acme.zip").stat().st_mode) == 0o600

    def test_is_never_overwritten(self, cli: Cli, acme: Cast, tmp_path: Path) -> None:
        (tmp_path / "acme.zip").write_text("mine")
        result = cli("tenants", "export", "--tenant", acme.slug, "--to", str(tmp_path / "acme.zip"))
        assert (result.code, (tmp_path / "acme.zip").read_text()) == (1, "mine")

    def test_is_not_there_where_it_was_not_finished(
        self, cli: Cli, acme: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as dies:
            dies.setattr(export, "_export_table", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            cli("tenants", "export", "--tenant", acme.slug, "--to", str(tmp_path / "acme.zip"))
        assert not (tmp_path / "acme.zip").exists()
        exported(cli, acme, tmp_path / "acme.zip")  # what was left of it is in nobody's way
