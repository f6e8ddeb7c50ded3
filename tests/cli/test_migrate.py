"""The command that brings a schema up to date."""

import psycopg
import pytest

from chalicelib.backing.settings import settings
from migrations.setup import Urls, create_database
from tests.cli.conftest import Cli


@pytest.fixture(name="empty")
def _empty(server: str, database: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{database.application.rpartition('/')[2]}_empty"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'drop database if exists "{name}"')
        create_database(admin, name)
    monkeypatch.setenv("MIGRATION_DATABASE_URL", database.migrator.rpartition("/")[0] + "/" + name)
    settings.cache_clear()


@pytest.mark.usefixtures("empty")
class TestMigrate:
    def test_goes_from_nothing_to_a_revision_and_on(self, cli: Cli) -> None:
        first = cli("migrate", "--to", "2026_11_21_0700", "--json")
        assert first.json == {"from": None, "to": "2026_11_21_0700"}
        rest = cli("migrate")
        assert rest.out.startswith("Migrated from 2026_11_21_0700 to 2")
        assert cli("migrate").out.startswith("Nothing to do: the schema is at 2")

    def test_refuses_a_revision_that_is_not_there(self, cli: Cli) -> None:
        refused = cli("migrate", "--to", "nonsense")
        assert refused.code == 1
        assert "nonsense" in refused.err

    def test_wants_the_migrator(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MIGRATION_DATABASE_URL")
        settings.cache_clear()
        assert "MIGRATION_DATABASE_URL" in cli("migrate").err
