"""The driver's connection, as the product gets it: every exchange with the server is a point where faults are injected.

All that psycopg sends to the server goes through `wait`: SQLAlchemy, the raw cursor of the large statements, BEGIN and
COMMIT alike. Nothing else is replaced.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, ClassVar

import psycopg
from psycopg.pq import ConnStatus, PGconn, PipelineStatus, TransactionStatus

from infra.labs.crash.baton import Actor, Hub, Killed
from infra.labs.crash.faults import Crash

PAUSES = (timedelta(minutes=3), timedelta(minutes=40), timedelta(hours=23, minutes=40), timedelta(hours=30))
PREPARED = 1000  # prepared statements per connection: it serves every part of the product, one after the other
GONE = "server closed the connection unexpectedly"


class LabConnection(psycopg.Connection[Any]):
    """A connection of the application's role."""

    hub: Hub | None = None  # of the current run, the same for all connections
    live: ClassVar[list[LabConnection]] = []
    spare: ClassVar[list[tuple[Any, Any]]] = []
    user: Actor | None = None  # the actor that used it last
    wrote: bool = False
    queued: bool = False  # wrote into the outbox

    @property
    def is_in_transaction(self) -> bool:
        return not self.closed and self.pgconn.transaction_status != TransactionStatus.IDLE

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Run one exchange with the server, or inject a fault instead."""
        if self.hub is None:
            return super().wait(gen, *args, **options)
        self.hub.set_clock()
        actor = self.hub.current
        if actor is None:
            return super().wait(gen, *args, **options)
        what = _read_statement(gen)
        if not what:  # an exchange about the connection itself
            return super().wait(gen, *args, **options)
        if actor.is_dead:
            gen.close()
            if what in ("rollback", "commit"):
                return None
            raise Killed
        actor.connection, self.user = self, actor
        if what == "rollback":
            result = actor.drive(self, gen)
            actor.hub.settle()
            return result
        if what == "commit":
            return self._commit(actor, gen)
        if what.startswith("begin"):
            self.wrote = self.queued = False
            actor.point()
            return actor.drive(self, gen)
        actor.point(None, what[:120])
        if actor.hub.faults.strikes_now(Crash.DATABASE_KILLED):
            actor.hub.count(Crash.DATABASE_KILLED, actor.name)
            actor.hub.world.end_connections()
        is_read = what.startswith("select") and " for update" not in what
        if not is_read or "advisory" in what:
            actor.delay_lock(self)
        result = actor.drive(self, gen)
        self.wrote = self.wrote or not is_read
        self.queued = self.queued or "insert into outbox" in what or "payouts (" in what
        actor.point(Crash.READ if is_read else None)
        return result

    def _commit(self, actor: Actor, gen: Any) -> Any:
        """Commit, or lose the commit, or commit and report a failure."""
        faults, wrote, queued = actor.hub.faults, self.wrote, self.queued
        if not wrote:
            return actor.drive(self, gen)
        actor.point(Crash.WRITE, "commit")
        unseen, lost = (
            (Crash.SETTLE_UNSEEN, Crash.SETTLE_LOST)
            if actor.has_called_provider
            else (Crash.COMMIT_UNSEEN, Crash.COMMIT_LOST)
        )
        if faults.strikes_now(lost):
            gen.close()
            actor.hub.count(lost, actor.name)
            self.drop()
            actor.hub.settle()
            raise psycopg.OperationalError(GONE)
        result = actor.drive(self, gen)
        actor.hub.settle()
        if faults.strikes_now(unseen):
            actor.hub.count(unseen, actor.name)
            self.drop()
            raise psycopg.OperationalError(GONE)
        actor.has_called_provider = False
        actor.point(Crash.BEFORE_RELAY if queued else None)
        if faults.strikes_now(Crash.PAUSED):
            actor.hub.count(Crash.PAUSED, actor.name)
            actor.rest(actor.hub.rng.choice(PAUSES))
        return result

    def drop(self) -> None:
        """Do at once what the server does when a client disconnects: roll back, release all locks, close.

        The server's process is kept for the next connection: starting a new one for each kill would take most of the
        time of a run.
        """
        if self.closed:
            return
        is_free = self.pgconn.pipeline_status == PipelineStatus.OFF  # not in the middle of many inserts
        if is_free and self.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            self.pgconn.exec_(b"rollback")
        elif self.is_in_transaction and self.hub is not None:  # in the middle of a statement
            self.hub.world.end(self)
        if is_free and self.pgconn.transaction_status == TransactionStatus.IDLE:
            LabConnection.spare.append((self.pgconn, self._prepared))
            self.pgconn = PGconn()  # as closed as can be
        else:
            self.pgconn.finish()

    def close(self) -> None:
        """Close a connection that the pool discards."""
        self.drop()

    @classmethod
    def fresh(cls, *arguments: Any, **options: Any) -> LabConnection:
        """Connect, reusing a spare process of the server if there is one."""
        while cls.spare:
            pgconn, prepared = cls.spare.pop()
            if pgconn.status == ConnStatus.OK:
                connection = cls(pgconn)
                connection._prepared = prepared  # the server still has these prepared statements
                cls.live.append(connection)
                return connection
        connection = cls.connect(*arguments, **options)
        connection.prepared_max, connection.prepare_threshold = PREPARED, 1
        # psycopg forgets all prepared statements at a rollback, in case it undid DDL; none does here
        connection._prepared.clear = lambda: False  # type: ignore[method-assign]
        cls.live.append(connection)
        return connection

    @classmethod
    def retire(cls) -> None:
        """Close every open connection, also of pools that the engine no longer knows."""
        for connection in cls.live:
            connection.drop()
        cls.live = []

    @classmethod
    def finish_spare(cls) -> None:
        """Close the spare processes of the server."""
        while cls.spare:
            cls.spare.pop()[0].finish()


def _read_statement(exchange: Any) -> str:
    """Return the statement that psycopg is about to send, or ""; a generator that has not begun has its arguments."""
    name = exchange.__name__
    if name in ("_commit_gen", "_rollback_gen"):
        return str(name.split("_")[1])
    query = exchange.gi_frame.f_locals.get("query")
    if query is None:
        return ""
    text = query.decode() if isinstance(query, bytes) else str(query)
    text = re.sub(r"--[^\n]*", "", text)
    return re.sub(r"\s+", " ", re.sub(r"'[0-9a-f-]{36}'", "?", text)).strip().lower()
