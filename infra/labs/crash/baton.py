"""Deterministic scheduling: actors are threads of which exactly one runs, and the seed draws which one is next.

An actor hands the baton back only at points: around statements and commits, sends and calls. PostgreSQL is asked
whether an actor waits for a lock of a parked actor; it is then skipped until the lock is free. So the order of events
depends on the seed alone, never on elapsed time.
"""

from __future__ import annotations

import hashlib
import select
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from infra.labs.crash.faults import Crash, Faults

if TYPE_CHECKING:
    from infra.labs.crash.connection import LabConnection
    from infra.labs.crash.world import World

POLL_MS = 4  # a statement that takes longer may be waiting for a lock: ask PostgreSQL
LOCK_TIMEOUT = 20.0  # seconds after which a statement that is neither done nor blocked is a bug of the laboratory


class Killed(BaseException):
    """The process of an actor was killed. Not an Exception, so that no `except Exception` catches it."""


class Actor:
    """A simulated process: a worker, a scheduler, an API call's server and its client."""

    def __init__(self, hub: Hub, name: str, work: Callable[[Actor], None], *, skew: int = 0) -> None:
        self.hub, self.name, self.skew = hub, name, timedelta(seconds=skew)
        self.work = work
        self.is_dead = False  # killed, and not restarted
        self.is_over = False
        self.rests_until: datetime | None = None
        self.waits_on: LabConnection | None = None
        self.idles_until: Callable[[], bool] | None = None
        self.is_delayed = False
        self.connection: LabConnection | None = None  # the last that it used
        self.failure: BaseException | None = None
        self.has_called_provider = False  # since its last commit
        self.batch: Any = None  # the records that it is processing
        self.worked = 0  # how many of them are processed
        self._turn = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        """Run the actor's work in its own thread, from its first turn on."""
        self._turn.acquire()
        try:
            if not self.hub.is_closing:
                self.work(self)
        except Killed:
            pass
        except BaseException as error:
            self.failure = error
        finally:
            self.is_over = True
            self.hub.back.release()

    def run(self) -> None:
        """Give the actor the baton and wait until it hands it back. Called by the hub."""
        self._turn.release()
        self.hub.back.acquire()

    def join(self) -> None:
        self._thread.join()

    @property
    def is_in_transaction(self) -> bool:
        # the pool may have handed its last connection to another actor by now
        return self.connection is not None and self.connection.user is self and self.connection.is_in_transaction

    def switch(self) -> None:
        """Hand the baton back and wait for the next turn."""
        self.hub.back.release()
        self._turn.acquire()
        if self.hub.is_closing:
            is_busy = self.has_called_provider or self.batch is not None
            if is_busy or self.is_in_transaction:
                self.hub.count(Crash.LEFT_RUNNING, self.name)
            self.end()

    def point(self, crash: Crash | None = None, what: str = "", *, switches: bool = True) -> None:
        """Mark a place where the actor may be killed, and where another may continue."""
        if self.is_dead:
            raise Killed
        if what:
            self.hub.note(f"{self.name} {what}")
        if crash is not None and self.hub.faults.strikes_now(crash):
            self.die(crash)
        if self.batch is not None and self.worked and self.hub.faults.strikes_now(Crash.TIME_LIMIT):
            self.die(Crash.TIME_LIMIT)
        if switches:
            self.maybe_switch()

    def maybe_switch(self) -> None:
        """Hand the baton back, or not, as drawn."""
        if self.hub.rng.random() < self.hub.faults.switching:
            self.switch()

    def die(self, crash: Crash) -> NoReturn:
        """Kill the actor's process: its transaction is rolled back, and none of its code runs any more."""
        self.hub.count(crash, self.name)
        self.end()

    def end(self) -> NoReturn:
        """End the process without counting it as a fault."""
        self.is_dead, self.waits_on = True, None
        if self.connection is not None and self.connection.user is self:
            self.connection.drop()
        self.hub.settle()
        raise Killed

    def revive(self) -> None:
        """Restart the process."""
        if self.hub.is_closing:
            raise Killed
        self.is_dead, self.has_called_provider, self.batch, self.worked = False, False, None, 0
        self.connection = None

    def rest(self, duration: timedelta) -> None:
        """Sleep in simulated time."""
        self.rests_until = self.hub.now + duration
        self.switch()

    def idle(self, until: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        if not until():
            self.idles_until = until
            self.switch()

    def delay_lock(self, connection: LabConnection) -> None:
        """Delay a statement that may take a lock while another actor waits for the lock of a third.

        Which of two waiters gets a row first is PostgreSQL's choice, and not the same each time.
        """
        while not self.hub.may_lock(connection):
            self.is_delayed = True
            self.switch()

    def drive(self, connection: LabConnection, steps: Any) -> Any:
        """Run one exchange with the server; hand the baton back while it waits for another actor's lock.

        `steps` is psycopg's generator: it yields what it waits for (bit 1 to read, bit 2 to write).
        """
        poll = select.poll()
        try:
            interest = next(steps)
            began = time.monotonic()
            while True:
                poll.register(
                    connection.pgconn.socket, (interest & 1 and select.POLLIN) | (interest & 2 and select.POLLOUT)
                )
                if poll.poll(POLL_MS if self.hub.others_in_transaction(self) else 1000):
                    interest = steps.send(interest)
                elif self.hub.world.is_blocked(connection):
                    self.hub.note(f"{self.name} waits")
                    self.waits_on = connection
                    self.switch()
                elif time.monotonic() - began > LOCK_TIMEOUT:
                    raise RuntimeError(f"{self.name}: a statement neither ends nor waits for a lock")
        except StopIteration as end:
            return end.value


class Hub:
    """The scheduler of a run: which actor is next, the simulated time, the history."""

    def __init__(
        self, rng: Random, faults: Faults, world: World, *, now: datetime, next_moment: Callable[[], datetime | None]
    ) -> None:
        self.rng, self.faults, self.world, self.now = rng, faults, world, now
        self.next_moment = next_moment  # returns when something becomes due that no actor waits for
        self._clock_is_set = False
        self.actors: list[Actor] = []
        self.current: Actor | None = None
        self.back = threading.Semaphore(0)
        self.counts: Counter[Crash] = Counter()
        self.history: list[str] = []
        self.is_closing = False
        self.at_time: list[Callable[[], None]] = []  # called when time has moved
        self._digest = hashlib.blake2b(digest_size=8)

    def add(self, name: str, work: Callable[[Actor], None], *, skew: int = 0) -> None:
        """Add an actor; it starts with its first turn."""
        self.actors.append(Actor(self, name, work, skew=skew))
        if skew:
            self.count(Crash.CLOCK_OFF, name)

    def note(self, what: str) -> None:
        """Append to the history, which is equal for two runs of one seed."""
        self.history.append(what)
        self._digest.update(what.encode() + b"\n")

    def count(self, crash: Crash, who: str = "") -> None:
        """Count an injected fault."""
        self.counts[crash] += 1
        self.note(f"*** {who} {crash}")

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def pass_time(self, by: timedelta) -> None:
        """Move simulated time, for the database and for every actor's clock."""
        self.now += by
        self._clock_is_set = False
        self.note(f"time {self.now:%d %H:%M:%S}")
        for listener in self.at_time:
            listener()

    def set_clock(self) -> None:
        """Set the database's clock, if it has not been set since time moved."""
        if not self._clock_is_set:
            self._clock_is_set = True
            self.world.set_clock(self.now)

    def run(self, *, turns: int, between: Callable[[], None], is_done: Callable[[], bool]) -> None:
        """Give turns to the actors until all is done or the turns are used up, then kill what still runs."""
        for _ in range(turns):
            self._wake()
            unblocked = [actor for actor in self.actors if not actor.is_over and actor.waits_on is None]
            ready = [
                actor
                for actor in unblocked
                if actor.rests_until is None and actor.idles_until is None and not actor.is_delayed
            ]
            if not ready:
                moments = [actor.rests_until for actor in unblocked if actor.rests_until is not None]
                if (moment := self.next_moment()) is not None and moment > self.now:
                    moments.append(moment)
                if moments:
                    self.pass_time(min(moments) - self.now)
                else:  # a deadlock, which the server resolves by itself a moment later
                    self.note("deadlock")
                    time.sleep(0.02)
                continue
            if is_done():
                break
            self._give(self.rng.choice(ready))
            between()
        self.close()

    def _give(self, actor: Actor) -> None:
        """Give the baton to an actor, and raise what its work raised."""
        self.current = actor
        actor.run()
        self.current = None
        if actor.failure is not None:
            failure, actor.failure = actor.failure, None
            raise failure

    def close(self) -> None:
        """Kill every actor that still runs, where it is."""
        self.is_closing = True
        while left := [actor for actor in self.actors if not actor.is_over]:
            self.settle()
            # an actor that waits for a lock can only end once the holder is gone
            self._give(next((actor for actor in left if actor.waits_on is None), left[0]))
        for actor in self.actors:
            actor.join()
        self.actors = []

    def _wake(self) -> None:
        """End rests and waits that are over."""
        for actor in self.actors:
            if actor.rests_until is not None and actor.rests_until <= self.now:
                actor.rests_until = None
            if actor.idles_until is not None and actor.idles_until():
                actor.idles_until = None
        self.settle()
        for actor in self.actors:
            if actor.is_delayed and (actor.connection is None or self.may_lock(actor.connection)):
                actor.is_delayed = False

    def may_lock(self, connection: LabConnection) -> bool:
        """Return whether a statement that takes locks may start: nobody waits, or they wait for this connection."""
        waiting = [one.waits_on for one in self.actors if one.waits_on is not None]
        return not waiting or self.faults.crowds or any(self.world.is_blocked_by(one, connection) for one in waiting)

    def others_in_transaction(self, actor: Actor) -> bool:
        """Return whether another actor is in a transaction."""
        return any(one is not actor and one.is_in_transaction for one in self.actors)

    def settle(self) -> None:
        """Find the actors whose lock wait has ended; called wherever locks were released."""
        for actor in self.actors:
            if (connection := actor.waits_on) is None:
                continue
            poll = select.poll()
            poll.register(connection.pgconn.socket, select.POLLIN)
            deadline = time.monotonic() + LOCK_TIMEOUT
            while True:
                if poll.poll(0):
                    actor.waits_on = None
                    break
                if self.world.is_blocked(connection):
                    break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{actor.name}: a statement neither ends nor waits for a lock")
                poll.poll(1)
