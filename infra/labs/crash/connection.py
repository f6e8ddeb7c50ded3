"""The driver's connection, as the product gets it: every exchange with the server is a point where something happens.

All that psycopg says to the server goes through `wait`, whoever asked: SQLAlchemy, the raw cursor of the large
statements, BEGIN and COMMIT alike. Nothing else is replaced.
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
PREPARED = 1000  # statements that a connection remembers: it serves every part of the product, one after the other
GONE = "server closed the connection unexpectedly"


class LabConnection(psycopg.Connection[Any]):
    """One connection of the application's role."""

    hub: Hub | None = None  # of the run that is on, the same for all
    live: ClassVar[list[LabConnection]] = []
    spare: ClassVar[list[tuple[Any, Any]]] = []
    user: Actor | None = None  # who used it last
    wrote: bool = False
    put: bool = False  # something into the outbox

    @property
    def is_in_transaction(self) -> bool:
        return not self.closed and self.pgconn.transaction_status != TransactionStatus.IDLE

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Run one exchange, or what becomes of it."""
        if self.hub is None:
            return super().wait(gen, *args, **options)
        self.hub.set_clock()
        actor = self.hub.current
        if actor is None:
            return super().wait(gen, *args, **options)
        what = _said(gen)
        if not what:  # about the connection itself
            return super().wait(gen, *args, **options)
        if actor.is_dead:
            gen.close()
            if what in ("rollback", "commit"):
                return None
            raise Killed
        actor.connection, self.user = self, actor
        if what == "rollback":
            found = actor.drive(self, gen)
            actor.hub.settle()
            return found
        if what == "commit":
            return self._commit(actor, gen)
        if what.startswith("begin"):
            self.wrote = self.put = False
            actor.point()
            return actor.drive(self, gen)
        actor.point(None, what[:120])
        if actor.hub.plan.strikes_now(Crash.DATABASE_KILLED):
            actor.hub.count(Crash.DATABASE_KILLED, actor.name)
            actor.hub.world.end_connections()
        is_read = what.startswith("select") and " for update" not in what
        if not is_read or "advisory" in what:
            actor.hold_back(self)
        found = actor.drive(self, gen)
        self.wrote = self.wrote or not is_read
        self.put = self.put or "insert into outbox" in what or "payouts (" in what
        actor.point(Crash.READ if is_read else None)
        return found

    def _commit(self, actor: Actor, gen: Any) -> Any:
        plan, wrote, put = actor.hub.plan, self.wrote, self.put
        if not wrote:
            return actor.drive(self, gen)
        actor.point(Crash.WRITE, "commit")
        unseen, lost = (
            (Crash.SETTLE_UNSEEN, Crash.SETTLE_LOST) if actor.called else (Crash.COMMIT_UNSEEN, Crash.COMMIT_LOST)
        )
        if plan.strikes_now(lost):
            gen.close()
            actor.hub.count(lost, actor.name)
            self.drop()
            actor.hub.settle()
            raise psycopg.OperationalError(GONE)
        found = actor.drive(self, gen)
        actor.hub.settle()
        if plan.strikes_now(unseen):
            actor.hub.count(unseen, actor.name)
            self.drop()
            raise psycopg.OperationalError(GONE)
        actor.called = False
        actor.point(Crash.BEFORE_RELAY if put else None)
        if plan.strikes_now(Crash.PAUSED):
            actor.hub.count(Crash.PAUSED, actor.name)
            actor.rest(actor.hub.rng.choice(PAUSES))
        return found

    def drop(self) -> None:
        """Do what the server does when a client is gone, at once: roll back, let go of all locks, close.

        The server's process behind it lives on for the next connection: starting a fresh one for each kill would take
        most of the time of a run.
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
        """Close a connection that the pool does not want any more."""
        self.drop()

    @classmethod
    def fresh(cls, *arguments: Any, **options: Any) -> LabConnection:
        """Connect, through a server's process that is there already if one is."""
        while cls.spare:
            pgconn, prepared = cls.spare.pop()
            if pgconn.status == ConnStatus.OK:
                made = cls(pgconn)
                made._prepared = prepared  # the server still knows these statements
                cls.live.append(made)
                return made
        made = cls.connect(*arguments, **options)
        made.prepared_max, made.prepare_threshold = PREPARED, 1
        # psycopg forgets all statements at each rollback, lest one undid the making of a table; none does here
        made._prepared.clear = lambda: False  # type: ignore[method-assign]
        cls.live.append(made)
        return made

    @classmethod
    def retire(cls) -> None:
        """Close whatever is still open, in the pool or in one that the engine has forgotten."""
        for one in cls.live:
            one.drop()
        cls.live = []

    @classmethod
    def finish_spare(cls) -> None:
        """Close what is kept for later."""
        while cls.spare:
            cls.spare.pop()[0].finish()


def _said(gen: Any) -> str:
    """Read what psycopg is about to say: a generator that has not begun still has its arguments."""
    name = gen.__name__
    if name in ("_commit_gen", "_rollback_gen"):
        return str(name.split("_")[1])
    query = gen.gi_frame.f_locals.get("query")
    if query is None:
        return ""
    said = query.decode() if isinstance(query, bytes) else str(query)
    said = re.sub(r"--[^\n]*", "", said)
    return re.sub(r"\s+", " ", re.sub(r"'[0-9a-f-]{36}'", "?", said)).strip().lower()
