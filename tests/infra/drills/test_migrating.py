"""The runner of migrations against a table that somebody holds, the drill's own migrations, and its backfill."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy
from psycopg.errors import LockNotAvailable
from sqlalchemy.engine import make_url

from infra.labs.drills.backfill import backfill
from infra.labs.drills.migration import VERSIONS
from migrations import setup
from migrations.setup import Urls, create_database


@pytest.fixture(name="urls")
def _urls(server: str, template: Urls) -> Iterator[Urls]:
    """Provide a database of its own, whose schema the test changes."""
    name = f"wagebook_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        create_database(admin, name, template="wagebook_template")
        yield Urls(*(url.replace("wagebook_template", name) for url in (template.application, template.migrator)))
        admin.execute(f'drop database "{name}" with (force)'.encode())


@pytest.fixture(name="root")
def _root(server: str, urls: Urls) -> Iterator[psycopg.Connection]:
    """Provide a superuser there."""
    url = make_url(server).set(database=make_url(urls.migrator).database).render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    # env.py gives up after five seconds; what is tested is that it gives up, and what follows
    assert "set lock_timeout = '5s'" in (setup.HERE / "env.py").read_text()
    said = sqlalchemy.text
    monkeypatch.setattr(sqlalchemy, "text", lambda words: said(words.replace("'5s'", "'100ms'")))


class TestUpgrade:
    def test_gives_up_and_comes_again_when_the_table_is_free(self, urls: Urls, root: psycopg.Connection) -> None:
        told = []
        with psycopg.connect(urls.migrator) as other:
            other.execute("set role wagebook_owner; select count(*) from sales")

            def hears(tries: int) -> None:
                told.append(tries)
                if tries == 2:
                    other.rollback()

            assert setup.upgrade(urls.migrator, "drill_expand", also=VERSIONS, on_retry=hears) == 3
        assert told == [1, 2]
        assert root.execute("select version_num from alembic_version").fetchall() == [("drill_expand",)]

    def test_gives_up_for_good_at_last(self, urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(setup, "TRIES", 2)
        with psycopg.connect(urls.migrator) as other:
            other.execute("set role wagebook_owner; select count(*) from sales")
            with pytest.raises(LockNotAvailable):
                setup.upgrade(urls.migrator, "drill_expand", also=VERSIONS)

    def test_goes_through_expansion_and_contraction(self, urls: Urls, root: psycopg.Connection) -> None:
        assert setup.upgrade(urls.migrator, "drill_index", also=VERSIONS) == 1
        valid = "select indisvalid from pg_index where indexrelid = 'sales_by_channel'::regclass"
        assert root.execute(valid).fetchall() == [(True,)]
        assert setup.upgrade(urls.migrator, "heads", also=VERSIONS) == 1
        column = "select from pg_attribute where attrelid = 'sales'::regclass and attname = 'channel'"
        assert root.execute(column).fetchall() == []


class TestBackfill:
    def test_fills_every_tenants_rows_in_parts_and_nothing_twice(
        self, urls: Urls, root: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("infra.labs.drills.backfill.ROWS", 2)
        tenants = [
            row[0]
            for row in root.execute(
                "insert into tenants (slug, name, currency, timezone, weekend)"
                " select 'backfill-' || n, 'B', 'BDT', 'Asia/Dhaka', '{5}' from generate_series(1, 2) n returning id"
            )
        ]
        for tenant_id in tenants:
            root.execute(
                "with u as (insert into users (tenant_id, name) values (%s, 'U') returning tenant_id, id)"
                " insert into sales (tenant_id, user_id, earning, currency, occurred_at, created_by, created_at)"
                " select tenant_id, id, 1, 'BDT', now(), 'test', now() from u, generate_series(1, 5)",
                [tenant_id],
            )
        setup.upgrade(urls.migrator, "drill_expand", also=VERSIONS)
        root.execute("update sales set channel = null")
        said = {"table": "sales", "change": "channel = 'direct'", "where": "channel is null"}
        assert backfill(urls.migrator, tenants, **said) == (10, 6)
        assert backfill(urls.migrator, tenants, **said) == (0, 0)
