"""The pool survives a failover of its server."""

from collections.abc import Callable
from contextlib import ExitStack

import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from chalicelib.backing.database import engine, transaction
from chalicelib.entry.problems import Busy, fault_of
from migrations.setup import Urls


@pytest.fixture
def restart(server: str, database: Urls) -> Callable[[], int]:
    """End every connection of the application at the server, as a fail-over does."""

    def end() -> int:
        with psycopg.connect(server, autocommit=True) as admin:
            ended = admin.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where usename = 'wagebook_app' and datname = %s",
                [engine().url.database],
            )
            return ended.rowcount

    return end


def ask(session: Connection) -> int:
    return int(session.execute(text("select 1")).scalar_one())


class TestTransaction:
    def test_begins_on_a_new_connection_when_those_of_the_pool_are_dead(self, restart: Callable[[], int]) -> None:
        with ExitStack() as stack:
            for _ in range(3):
                ask(stack.enter_context(transaction()))
        assert restart() >= 3
        for _ in range(4):
            with transaction() as session:
                assert ask(session) == 1

    def test_fails_transactions_in_progress_as_busy(self, restart: Callable[[], int]) -> None:
        def interrupted() -> None:
            with transaction() as session:
                ask(session)
                restart()
                ask(session)

        with pytest.raises(OperationalError) as raised:
            interrupted()
        assert isinstance(fault_of(raised.value), Busy)
        with transaction() as session:
            assert ask(session) == 1

    def test_says_busy_when_there_is_no_server_to_begin_on(self, restart: Callable[[], int]) -> None:
        def refuse(*_: object) -> None:
            raise psycopg.OperationalError("connection refused")

        with transaction() as session:
            ask(session)
        restart()
        event.listen(engine(), "do_connect", refuse)
        try:
            with pytest.raises(OperationalError) as raised, transaction():
                pass
        finally:
            event.remove(engine(), "do_connect", refuse)
        assert isinstance(fault_of(raised.value), Busy)
        with transaction() as session:
            assert ask(session) == 1
