"""Two writers at once, in the order that loses something: one stands before its commit while the other goes on."""

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event, text

from chalicelib.backing.database import engine, transaction
from tests.support.cast import Cast

LONG = 20.0  # seconds: far more than anything here takes; only a hanging test waits so long
_WAITS = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")


def overlapping(cast: Cast, first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Run `first` up to its commit, then `second` until it is over or waits for a lock, then let both end.

    Nothing here sleeps for luck: `second` always meets the uncommitted work of `first`. Returns what both returned.
    """
    pause = _Pause()
    event.listen(engine(), "commit", pause.before_commit)
    try:
        one = _Worker(first)
        pause.whom = one.thread
        one.thread.start()
        pause.until_reached(one)
        other = _Worker(second)
        other.thread.start()
        _until_over_or_waiting(cast, other)
        pause.may_go_on.set()
        return one.result(), other.result()
    finally:
        pause.may_go_on.set()
        event.remove(engine(), "commit", pause.before_commit)


def all_at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Start every call at the same moment, each in its own thread, and return what they returned."""
    start = threading.Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        start.wait(LONG)
        return call()

    workers = [_Worker(lambda call=call: begin(call)) for call in calls]
    for worker in workers:
        worker.thread.start()
    return [worker.result() for worker in workers]


class _Pause:
    """Holds the first commit of one thread back until it may go on."""

    def __init__(self) -> None:
        self.whom: threading.Thread | None = None
        self.reached, self.may_go_on = threading.Event(), threading.Event()

    def before_commit(self, connection: Connection) -> None:
        if threading.current_thread() is self.whom and not self.reached.is_set():
            self.reached.set()
            assert self.may_go_on.wait(LONG), "the other writer neither ended nor waited"

    def until_reached(self, worker: "_Worker") -> None:
        """Wait for the commit; a writer that was refused ends without one."""
        deadline = time.monotonic() + LONG
        while not self.reached.wait(0.002) and worker.thread.is_alive():
            assert time.monotonic() < deadline, "the first writer hangs"


class _Worker:
    """A call in a thread of its own; whatever it raises is raised where its result is asked for."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self._outcome = call, []  # type: ignore[var-annotated]
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._outcome.append(self._call())
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        self.thread.join(LONG)
        assert not self.thread.is_alive(), "a writer hangs"
        if self._error is not None:
            raise self._error
        return self._outcome[0]


def _until_over_or_waiting(cast: Cast, worker: _Worker) -> None:
    deadline = time.monotonic() + LONG
    while worker.thread.is_alive():
        with transaction(tenant_id=cast.id) as session:
            if session.execute(_WAITS).scalar_one():
                return
        assert time.monotonic() < deadline, "the second writer hangs"
        worker.thread.join(0.005)
