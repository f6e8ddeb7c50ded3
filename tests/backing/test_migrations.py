"""From an empty server to the schema, as an administrator without superuser rights, like Aurora's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from infra.local import postgres
from infra.local.children import PROJECT
from migrations import setup
from migrations.setup import Urls, create_database


@pytest.fixture(name="aurora", scope="module")
def _aurora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run a server of its own, as roles are the whole server's, and say where it is as libpq reads it."""
    with postgres.running(tmp_path_factory.mktemp("aurora"), durable=False) as running:
        with psycopg.connect(running.admin_url, autocommit=True) as root:
            root.execute("create role master login createrole createdb password 'm@ster'")
        parts = conninfo_to_dict(running.admin_url)
        yield {
            **os.environ,
            "PGHOST": str(parts["host"]),
            "PGPORT": str(parts["port"]),
            "PGUSER": "master",
            "PGPASSWORD": "m@ster",
            "APPLICATION_PASSWORD": "a1",
            "MIGRATOR_PASSWORD": "m1",
        }


def migrations(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "migrations", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def logged_in(environment: dict[str, str], password: str) -> psycopg.Connection:
    return psycopg.connect(
        host=environment["PGHOST"],
        port=environment["PGPORT"],
        user="wagebook_app",
        password=password,
        dbname="wagebook",
    )


class TestMain:
    def test_makes_all_of_it_from_nothing_and_again_changes_nothing(self, aurora: dict[str, str]) -> None:
        for _ in range(2):
            done = migrations(aurora)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.endswith("The schema is at head.\n")
        with logged_in(aurora, "a1") as application:
            assert application.execute("select count(*) from tenants").fetchall() == [(0,)]

    def test_changes_a_password_to_what_is_said(self, aurora: dict[str, str]) -> None:
        assert migrations({**aurora, "APPLICATION_PASSWORD": "a2"}).returncode == 0
        with logged_in(aurora, "a2"), pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            logged_in(aurora, "a1")

    def test_says_what_is_missing(self, aurora: dict[str, str]) -> None:
        done = migrations({**aurora, "MIGRATOR_PASSWORD": ""})
        assert (done.returncode, done.stderr) == (
            1,
            "MIGRATOR_PASSWORD is not said; see python -m migrations --help.\n",
        )

    def test_explains_itself(self, aurora: dict[str, str]) -> None:
        assert "PGHOST" in migrations(aurora, "--help").stdout


class TestUpgrade:
    def test_waits_for_another_one(self, server: str, template: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(setup, "_pauses", lambda: iter([0.0] * setup.TRIES))
        name, told = f"wagebook_{uuid4().hex[:12]}", []
        with psycopg.connect(server, autocommit=True) as admin:
            create_database(admin, name, template="wagebook_template")
            url = template.migrator.replace("wagebook_template", name)
            other = psycopg.connect(url)
            other.execute("select pg_advisory_lock(hashtext('migrations'))")

            def hears(tries: int) -> None:
                told.append(tries)
                other.close()

            assert setup.upgrade(url, on_retry=hears) == 2
            assert told == [1]
            admin.execute(f'drop database "{name}" with (force)'.encode())
