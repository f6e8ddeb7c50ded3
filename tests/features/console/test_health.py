"""What /health answers while everything works, and while the database or the queues do not."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from sqlalchemy import create_engine

import app
from chalicelib.backing import database, queues
from chalicelib.entry.registry import CONSUMERS
from infra.deploy.cloud.runtime import API_TIMEOUT
from infra.local.aws import make_queues
from tests.support.api import Api

pytestmark = pytest.mark.usefixtures("database")
NOBODY = Api()


@pytest.fixture(name="sqs")
def _sqs() -> Iterator[Any]:
    assert app.app.event_sources  # every entry point is there, and so every queue
    with mock_aws():
        queues.client.cache_clear()
        queues.url_of.cache_clear()
        client = boto3.client("sqs")
        make_queues(client, [queues.configured_name(queue) for queue in CONSUMERS])
        yield client
    queues.client.cache_clear()
    queues.url_of.cache_clear()


class TestHealth:
    def test_is_ok_while_all_answers_and_needs_no_credentials(self, sqs: Any) -> None:
        reply = NOBODY.get("/health")
        assert (reply.status, reply.json) == (200, {"status": "ok", "database": "ok", "queues": "ok"})

    def test_is_503_while_the_database_is_away(self, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", isolation_level="AUTOCOMMIT")
        monkeypatch.setattr(database, "engine", lambda: nowhere)
        _is_away(NOBODY.get("/health"), "The database does not answer.")

    def test_is_503_while_the_queues_are_away(self, sqs: Any) -> None:
        for url in sqs.list_queues()["QueueUrls"]:
            sqs.delete_queue(QueueUrl=url)
        _is_away(NOBODY.get("/health"), "The queues do not answer.")

    def test_answers_before_the_gateway_times_out(self) -> None:
        client_config = queues.client().meta.config
        for_queues = (client_config.connect_timeout + client_config.read_timeout) * client_config.retries[
            "total_max_attempts"
        ]
        with database.engine().connect() as connection:
            assert connection.connection.driver_connection is not None
            for_database = int(connection.connection.driver_connection.info.get_parameters()["connect_timeout"])
        assert for_database + for_queues < API_TIMEOUT - 5


def _is_away(reply: Any, why: str) -> None:
    assert (reply.status, reply.headers["Content-Type"]) == (503, "application/problem+json")
    assert (reply.json["detail"], reply.headers["Retry-After"]) == (why, "1")
