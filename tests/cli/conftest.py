"""The command line in this process, a superuser who breaks things, and queues that live in memory."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from logging import StreamHandler
from typing import Any

import psycopg
import pytest
from moto import mock_aws
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from chalicelib.backing import queues
from chalicelib.backing.log import logger
from infra.local import aws
from migrations.setup import Urls


@dataclass(frozen=True)
class CliResult:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as the one JSON document that it must be."""
        return json.loads(self.out)


Cli = Callable[..., CliResult]


@pytest.fixture(name="cli", scope="module")
def _cli(database: Urls) -> Cli:
    from chalicelib.cli import app

    # a command sends its logs to its own stderr, which is gone when it ends
    # (pytest's own handlers, which may be there too, have none)
    streams = [handler for handler in logger.handlers if isinstance(handler, StreamHandler)]
    kept = [(handler, handler.stream) for handler in streams], logger.log_level

    def run(*words: str, typed: str | None = None) -> CliResult:
        ended = CliRunner().invoke(app, list(words), input=typed)
        for handler, stream in kept[0]:
            handler.stream = stream
        logger.setLevel(kept[1])
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return CliResult(ended.exit_code, ended.stdout, ended.stderr)

    return run


@pytest.fixture(name="root", scope="module")
def _root(server: str, database: Urls) -> Iterator[psycopg.Connection]:
    """Provide a superuser in the module's database: row-level security and triggers do not hold them."""
    name = database.application.rpartition("/")[2]
    with psycopg.connect(server, dbname=name, autocommit=True) as connection:
        yield connection


@pytest.fixture(name="session")
def _session(server: str, database: Urls) -> Iterator[Connection]:
    """Provide a superuser's transaction, rolled back: what is broken in it is broken for nobody else."""
    url = make_url(server).set(drivername="postgresql+psycopg", database=database.application.rpartition("/")[2])
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture(name="sqs")
def _sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Every queue of the product with its dead-letter queue, all empty, and a client."""
    import chalicelib.blueprints  # noqa: F401
    from chalicelib.entry.registry import CONSUMERS

    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    queues.client.cache_clear()
    queues.url_of.cache_clear()
    with mock_aws():
        aws.make_queues(queues.client(), [queues.configured_name(queue) for queue in CONSUMERS])
        yield queues.client()
    queues.client.cache_clear()
    queues.url_of.cache_clear()
