"""Every tenant table as the application's role sees it: no rows without a tenant, with one only its own."""

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import psycopg
import pytest

from migrations.setup import Urls
from tests.architecture import rows
from tests.architecture.catalog import tenant_tables

ACME, ZENITH = UUID("0199aaaa-0000-7000-8000-000000000001"), UUID("0199bbbb-0000-7000-8000-000000000001")
READS = {
    "wagebook_platform": {"tenants"},
    "wagebook_directory": {"tenants (id)", "members (id)"},
    "wagebook_sweeper": {
        "tenants (id)",
        "nightly_runs",
        "outbox",
        "payouts (id)",
        "webhook_deliveries (id)",
        "notification_logs (id)",
    },
}
Denied = psycopg.errors.InsufficientPrivilege


@pytest.fixture(scope="module", name="tables")
def _tables(server: str, database: Urls) -> dict[str, str]:
    """Insert one row of Acme and one of Zenith into every tenant table."""
    with psycopg.connect(server, dbname=database.application.rpartition("/")[2]) as admin:
        rows.fill(admin, ACME)
        rows.fill(admin, ZENITH)
        return tenant_tables(admin)


@pytest.fixture(name="app")
def _app(tables: dict[str, str], database: Urls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.application) as session:
        yield session
        session.rollback()


def enter(app: psycopg.Connection, tenant_id: UUID) -> None:
    app.execute(f"set local app.tenant_id = '{tenant_id}'")


class TestWithoutTenant:
    @pytest.mark.parametrize("setting", [None, ""])
    def test_sees_no_row_of_any_table(
        self, app: psycopg.Connection, tables: dict[str, str], setting: str | None
    ) -> None:
        if setting is not None:
            app.execute("select set_config('app.tenant_id', %s, true)", [setting])
        seen = {table: app.execute(f"select count(*) from {table}").fetchone() for table in tables}
        assert seen == dict.fromkeys(tables, (0,))

    def test_inserts_no_row_into_any_table(self, app: psycopg.Connection, tables: dict[str, str]) -> None:
        for table in tables:
            with pytest.raises(Denied, match=r"row-level security policy|permission denied"), app.transaction():
                rows.insert(app, table, ACME)

    def test_fails_where_the_tenant_is_no_id(self, app: psycopg.Connection) -> None:
        app.execute("set local app.tenant_id = 'acme'")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            app.execute("select count(*) from users")


class TestWithTenant:
    def test_sees_its_own_row_of_every_table(self, app: psycopg.Connection, tables: dict[str, str]) -> None:
        enter(app, ACME)
        seen = {table: app.execute(f"select {key} from {table}").fetchall() for table, key in tables.items()}
        assert seen == {table: [(ACME,)] for table in tables}

    def test_changes_and_deletes_no_row_of_another(self, app: psycopg.Connection, tables: dict[str, str]) -> None:
        enter(app, ACME)
        for table, key in tables.items():
            for statement in (f"update {table} set {key} = {key}", f"delete from {table}"):
                touched = 0
                # on a read-only or append-only table the statement itself is refused
                with suppress(Denied), app.transaction():
                    touched = app.execute(f"{statement} where {key} = '{ZENITH}'").rowcount
                assert touched == 0, statement

    def test_gives_no_row_to_another(self, app: psycopg.Connection, tables: dict[str, str]) -> None:
        enter(app, ACME)
        for table, key in tables.items():
            with pytest.raises(Denied), app.transaction():
                app.execute(f"update {table} set {key} = '{ZENITH}'")
            with pytest.raises(Denied), app.transaction():
                rows.insert(app, table, ZENITH)

    def test_empties_no_table(self, app: psycopg.Connection, tables: dict[str, str]) -> None:
        enter(app, ACME)
        for table in tables:
            with pytest.raises(Denied), app.transaction():
                app.execute(f"truncate {table} cascade")

    def test_turns_nothing_off(self, app: psycopg.Connection) -> None:
        enter(app, ACME)
        for words in (
            "alter table users disable row level security",
            "alter table users no force row level security",
            "drop policy tenant_isolation on users",
            "create policy mine on users using (true)",
            "set session_replication_role = replica",
            "create table mine (id int)",
            "create temporary table users (id int)",
            "set role wagebook_owner",
            "alter role wagebook_app bypassrls",
            "drop trigger keep on audit_logs",
        ):
            with pytest.raises(Denied), app.transaction():
                app.execute(words)

    def test_sees_nothing_of_others_with_row_security_off(self, app: psycopg.Connection) -> None:
        enter(app, ACME)
        app.execute("set local row_security = off")
        with pytest.raises(Denied, match="affected by row-level security"):
            app.execute("select * from users")

    def test_ends_with_its_transaction(self, app: psycopg.Connection) -> None:
        enter(app, ACME)
        app.commit()
        assert app.execute("select count(*) from users").fetchone() == (0,)


class TestNarrowRoles:
    @pytest.mark.parametrize("role", READS)
    def test_see_both_tenants_where_granted_and_nothing_else(
        self, app: psycopg.Connection, tables: dict[str, str], role: str
    ) -> None:
        app.execute(f"set local role {role}")
        seen = set()
        for table, key in tables.items():
            for what, columns in ((table, "*"), (f"{table} (id)", "id")):
                try:
                    with app.transaction():
                        assert len(app.execute(f"select {columns}, {key} from {table}").fetchall()) == 2
                    seen.add(what)
                    break
                except (Denied, psycopg.errors.UndefinedColumn):
                    continue
        assert seen == READS[role]
