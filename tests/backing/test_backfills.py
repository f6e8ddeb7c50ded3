"""Backfills: migrations that complete older rows, tried on such rows."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from migrations.setup import Urls, prepare, upgrade


@pytest.fixture(name="before")
def _before(server: str, template: Urls) -> Iterator[Urls]:
    """Return a database with the schema of before the migrations."""
    name = f"wagebook_{uuid4().hex[:12]}"
    passwords = {"wagebook_app": "app", "wagebook_migrator": "migrator"}
    yield prepare(server, passwords, database=name)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'drop database "{name}" with (force)'.encode())


def superuser(server: str, urls: Urls) -> psycopg.Connection:
    return psycopg.connect(server, dbname=str(conninfo_to_dict(urls.migrator)["dbname"]), autocommit=True)


def tenant(root: psycopg.Connection, slug: str) -> str:
    row = root.execute(
        "insert into tenants (slug, name, currency, timezone, weekend) values (%s, %s, 'BDT', 'Asia/Dhaka', '{5,6}')"
        " returning id",
        [slug, slug],
    ).fetchone()
    assert row
    return str(row[0])


class TestActors:
    def test_makes_names_of_live_keys_unique_and_keeps_the_oldest(self, server: str, before: Urls) -> None:
        upgrade(before.migrator, "2026_11_21_0980")
        with superuser(server, before) as root:
            acme, zenith = tenant(root, "acme"), tenant(root, "zenith")
            for number, (owner, revoked) in enumerate(
                [(acme, None), (acme, None), (zenith, None), (acme, "2026-01-01")]
            ):
                root.execute(
                    "insert into api_keys (tenant_id, name, role, hint, key_hash, revoked_at)"
                    " values (%s, 'box', 'hr', '', %s, %s)",
                    [owner, bytes([number]), revoked],
                )
            upgrade(before.migrator, "2026_12_01_1040")
            names = root.execute("select name from api_keys order by key_hash").fetchall()
            assert [name for (name,) in names][::2] == ["box", "box"]
            assert names[1][0].startswith("box ")
            assert len(names[1][0]) == 16
            assert names[3][0] == "box"
