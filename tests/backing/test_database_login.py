"""Login by an IAM token, as AWS's own library signs it, and a pool that pins no connection of a proxy."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from unittest import mock

import boto3
import botocore.auth
import pytest
from sqlalchemy import text

from chalicelib.backing import database, database_login
from chalicelib.backing.settings import settings
from migrations.setup import Urls
from tests.conftest import PASSWORDS

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class TestToken:
    def test_is_what_awss_own_library_signs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        with mock.patch.object(botocore.auth, "get_current_datetime", return_value=NOON):
            ours = database_login.token(host="proxy.example", port=5432, user="wagebook_app")
            expected = boto3.client("rds", region_name="eu-central-1").generate_db_auth_token(
                DBHostname="proxy.example", Port=5432, DBUsername="wagebook_app"
            )
        assert ours == expected
        assert ours.startswith("proxy.example:5432/?Action=connect&DBUser=wagebook_app&X-Amz-Algorithm=")
        assert "X-Amz-Expires=900&" in ours

    def test_is_of_now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        assert f"X-Amz-Date={datetime.now(UTC):%Y%m%dT}" in database_login.token(host="h", port=1, user="u")


@pytest.fixture(name="proxied")
def _proxied(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the product treat the server as a proxy, whose URL has no password."""
    from chalicelib.backing.database import engine

    before = os.environ["APPLICATION_DATABASE_URL"]
    monkeypatch.setenv("APPLICATION_DATABASE_URL", before.replace(f":{PASSWORDS['wagebook_app']}@", "@"))
    monkeypatch.setenv("DATABASE_PROXY", "true")
    settings.cache_clear()
    engine.cache_clear()
    yield
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


@pytest.mark.usefixtures("proxied")
class TestEngine:
    def test_shows_a_token_for_each_new_connection(self) -> None:
        with mock.patch.object(database_login, "token", return_value=PASSWORDS["wagebook_app"]) as signed:
            with database.transaction() as one, database.transaction() as other:
                assert one.execute(text("select current_user")).scalar() == "wagebook_app"
                assert other.execute(text("select current_user")).scalar() == "wagebook_app"
            with database.transaction():
                pass
        assert signed.call_count == 2, "one for each connection, and none for what the pool had"
        assert signed.call_args.kwargs["user"] == "wagebook_app"

    def test_prepares_nothing_however_often_it_is_sent(self) -> None:
        password = PASSWORDS["wagebook_app"]
        with mock.patch.object(database_login, "token", return_value=password), database.transaction() as session:
            for _ in range(10):
                session.execute(text("select :one"), {"one": 1})
            database.run(session, "select :one::int", {"one": 1})
            assert session.execute(text("select count(*) from pg_prepared_statements")).scalar() == 0


class TestEngineWithoutProxy:
    def test_prepares_what_is_run(self, database: Urls) -> None:
        from chalicelib.backing.database import run, transaction

        with transaction() as session:
            run(session, "select :one::int", {"one": 1})
            assert session.execute(text("select count(*) from pg_prepared_statements")).scalar() == 1
