"""A tenant moves to another cell by the steps of docs/operations/growth.md, over every table there is."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from chalicelib.backing.database import engine
from chalicelib.backing.settings import settings
from migrations.setup import Urls, create_database
from tests.support.cast import Cast, platform_admin, tenant
from tests.support.payouts import earned, seller

TABLES = """
    select c.relname::text, a.attname::text,
        (select array_agg(n.attname::text order by n.attnum) from pg_attribute n
         where n.attrelid = c.oid and n.attnum > 0 and not n.attisdropped and n.attgenerated = '')
    from pg_class c join pg_attribute a on a.attrelid = c.oid
        and a.attname = case c.relname when 'tenants' then 'id' else 'tenant_id' end
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relpersistence = 'p'
    order by 1"""
NUMBERED = "select table_name, column_name from information_schema.columns where is_identity = 'YES'"


@pytest.fixture(name="other")
def _other(server: str, database: Urls) -> Iterator[str]:
    """Return the database of the cell `b`: its name."""
    name = f"wagebook_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        create_database(admin, name, template="wagebook_template")
        yield name
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def in_cell(cell: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make this process one of a cell, with its database."""
    with monkeypatch.context() as there:
        url = os.environ["APPLICATION_DATABASE_URL"]
        there.setenv("CELL", cell)
        there.setenv("APPLICATION_DATABASE_URL", re.sub(r"/[^/?]+(\?|$)", rf"/{database}\1", url))
        _anew()
        yield
        engine().dispose()
    _anew()


def _anew() -> None:
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


def copied(old: psycopg.Connection, new: psycopg.Connection, cast: Cast) -> dict[str, tuple[int, int]]:
    """Copy everything of a tenant, and count the rows of each table in both."""
    new.execute("set session_replication_role = replica")
    counts = {}
    for table, key, columns in old.execute(TABLES).fetchall():
        names, mine = (
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL("{} = {}").format(sql.Identifier(key), sql.Literal(cast.id)),
        )
        rows = sql.SQL("copy (select {} from {} where {}) to stdout (format binary)").format(
            names, sql.Identifier(table), mine
        )
        into = sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(table), names)
        with old.cursor().copy(rows) as read, new.cursor().copy(into) as write:
            for part in read:
                write.write(part)
        count = sql.SQL("select count(*) from {} where {}").format(sql.Identifier(table), mine)
        counts[table] = tuple(side.execute(count).fetchone()[0] for side in (old, new))  # type: ignore[index]
    for table, column in new.execute(NUMBERED).fetchall():
        new.execute(
            sql.SQL("select setval(pg_get_serial_sequence({}, {}), greatest(max({}), 1)) from {}").format(
                sql.Literal(table), sql.Literal(column), sql.Identifier(column), sql.Identifier(table)
            )
        )
    return counts  # type: ignore[return-value]


def test_is_the_same_afterwards_and_goes_on(
    server: str, database: Urls, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, zenith = tenant("Acme"), tenant("Zenith")
    mina = seller(acme)
    earned(acme, mina)
    earned(zenith, seller(zenith))
    before = acme.admin.ok("GET", f"/users/{mina}/statement")
    root = platform_admin()
    root.ok("PATCH", f"/tenants/{acme.id}", {"status": "suspended"})
    root.ok("PATCH", f"/tenants/{acme.id}", {"cell": "b"})
    name = database.application.rpartition("/")[2]
    with (
        psycopg.connect(server, dbname=name, autocommit=True) as old,
        psycopg.connect(server, dbname=other, autocommit=True) as new,
    ):
        counts = copied(old, new, acme)
        assert new.execute("select count(*) from tenants").fetchone() == (1,)
    assert {table: both for table, both in counts.items() if both[0] != both[1]} == {}
    assert len(counts) > 60
    assert counts["ledger_entries"] == (1, 1)

    with in_cell("b", other, monkeypatch):
        assert acme.admin.get("/me").status == 403  # suspended, but at home
        platform_admin().ok("PATCH", f"/tenants/{acme.id}", {"status": "active"})
        assert acme.admin.ok("GET", f"/users/{mina}/statement") == before
        earned(acme, mina)
        after = acme.admin.ok("GET", f"/users/{mina}/balance")
        assert (after["payable"], after["currency"]) == ("80.00", "BDT")

    assert (acme.admin.get("/me").status, acme.admin.get("/me").json["cell"]) == (421, "b")
    assert zenith.admin.get("/me").status == 200
