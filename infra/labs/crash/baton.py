"""Actors and the baton: threads of which exactly one runs, and a seeded choice of who goes next.

An actor gives the baton back at points only: around statements and commits, sends and calls. One that waits for a lock
that a parked actor holds is recognised by asking PostgreSQL, and let be until the lock is free; so the order of events
depends on the seed alone, never on how fast anything was.
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

from infra.labs.crash.faults import Crash, Plan

if TYPE_CHECKING:
    from infra.labs.crash.connection import LabConnection
    from infra.labs.crash.world import World

POLL_MS = 4  # a statement that takes longer may be waiting for a lock: ask
LOCK_PATIENCE = 20.0  # seconds after which a statement that is neither done nor blocked is a fault of the laboratory


class Killed(BaseException):
    """The process of an actor is gone. No `except Exception` sees it."""


class Actor:
    """Somebody with a process of their own: a worker, a scheduler, an API call's server and its client."""

    def __init__(self, hub: Hub, name: str, work: Callable[[Actor], None], *, skew: int = 0) -> None:
        self.hub, self.name, self.skew = hub, name, timedelta(seconds=skew)
        self.work = work
        self.is_dead = False  # killed, and not started anew
        self.is_over = False
        self.rests_until: datetime | None = None
        self.waits_on: LabConnection | None = None
        self.idles_until: Callable[[], bool] | None = None
        self.is_held_back = False
        self.connection: LabConnection | None = None  # the last that it used
        self.failure: BaseException | None = None
        self.called = False  # has called the provider since its last commit
        self.batch: Any = None  # the records that it is working on
        self.worked = 0  # messages of them that are done
        self._turn = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    def _main(self) -> None:
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
        """Hand over the baton, and return when it is given back. For the hub."""
        self._turn.release()
        self.hub.back.acquire()

    def join(self) -> None:
        self._thread.join()

    @property
    def is_in_transaction(self) -> bool:
        # the pool may have handed its last connection to somebody else by now
        return self.connection is not None and self.connection.user is self and self.connection.is_in_transaction

    def switch(self) -> None:
        """Return the baton back and wait for the next turn."""
        self.hub.back.release()
        self._turn.acquire()
        if self.hub.is_closing:
            is_busy = self.called or self.batch is not None
            if is_busy or self.is_in_transaction:
                self.hub.count(Crash.LEFT_RUNNING, self.name)
            self.end()

    def point(self, crash: Crash | None = None, what: str = "", *, switches: bool = True) -> None:
        """Mark a place where the actor may be killed, and where another may go on."""
        if self.is_dead:
            raise Killed
        if what:
            self.hub.note(f"{self.name} {what}")
        if crash is not None and self.hub.plan.strikes_now(crash):
            self.die(crash)
        if self.batch is not None and self.worked and self.hub.plan.strikes_now(Crash.TIME_LIMIT):
            self.die(Crash.TIME_LIMIT)
        if switches:
            self.maybe_switch()

    def maybe_switch(self) -> None:
        """Let somebody else go on, or not."""
        if self.hub.rng.random() < self.hub.plan.switching:
            self.switch()

    def die(self, crash: Crash) -> NoReturn:
        """End the actor's process: its transaction is rolled back, and nothing of it runs any more."""
        self.hub.count(crash, self.name)
        self.end()

    def end(self) -> NoReturn:
        """End the process, counted or not."""
        self.is_dead, self.waits_on = True, None
        if self.connection is not None and self.connection.user is self:
            self.connection.drop()
        self.hub.settle()
        raise Killed

    def revive(self) -> None:
        """Start the process anew."""
        if self.hub.is_closing:
            raise Killed
        self.is_dead, self.called, self.batch, self.worked = False, False, None, 0
        self.connection = None

    def rest(self, for_: timedelta) -> None:
        """Sleep in simulated time."""
        self.rests_until = self.hub.now + for_
        self.switch()

    def idle(self, until: Callable[[], bool]) -> None:
        """Do nothing until something is so."""
        if not until():
            self.idles_until = until
            self.switch()

    def hold_back(self, connection: LabConnection) -> None:
        """Wait before a statement that may lock something, while others wait for somebody else's locks.

        Which of two that wait for one row gets it first is PostgreSQL's choice, and not the same each time.
        """
        while not self.hub.may_lock(connection):
            self.is_held_back = True
            self.switch()

    def drive(self, connection: LabConnection, steps: Any) -> Any:
        """Run one exchange with the server, and let others go on while it waits for a lock of theirs."""
        poll = select.poll()
        try:
            wanted = next(steps)
            began = time.monotonic()
            while True:
                poll.register(
                    connection.pgconn.socket, (wanted & 1 and select.POLLIN) | (wanted & 2 and select.POLLOUT)
                )
                if poll.poll(POLL_MS if self.hub.others_hold(self) else 1000):
                    wanted = steps.send(wanted)
                elif self.hub.world.is_blocked(connection):
                    self.hub.note(f"{self.name} waits")
                    self.waits_on = connection
                    self.switch()
                elif time.monotonic() - began > LOCK_PATIENCE:
                    raise RuntimeError(f"{self.name}: a statement neither ends nor waits for a lock")
        except StopIteration as end:
            return end.value


class Hub:
    """Who goes next, what time it is, and what has happened."""

    def __init__(
        self, rng: Random, plan: Plan, world: World, *, now: datetime, next_moment: Callable[[], datetime | None]
    ) -> None:
        self.rng, self.plan, self.world, self.now = rng, plan, world, now
        self.next_moment = next_moment  # when something becomes due that no actor waits for
        self._clock_is_set = False
        self.actors: list[Actor] = []
        self.current: Actor | None = None
        self.back = threading.Semaphore(0)
        self.counts: Counter[Crash] = Counter()
        self.history: list[str] = []
        self.is_closing = False
        self.at_time: list[Callable[[], None]] = []  # told that time has moved
        self._digest = hashlib.blake2b(digest_size=8)

    def add(self, name: str, work: Callable[[Actor], None], *, skew: int = 0) -> None:
        """Add an actor; it does nothing before its first turn."""
        self.actors.append(Actor(self, name, work, skew=skew))
        if skew:
            self.count(Crash.CLOCK_OFF, name)

    def note(self, what: str) -> None:
        """Add to the history that two runs of one seed must share."""
        self.history.append(what)
        self._digest.update(what.encode() + b"\n")

    def count(self, crash: Crash, who: str = "") -> None:
        """Note that something was injected."""
        self.counts[crash] += 1
        self.note(f"*** {who} {crash}")

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def pass_time(self, by: timedelta) -> None:
        """Move simulated time, for the database and for everybody's clock."""
        self.now += by
        self._clock_is_set = False
        self.note(f"time {self.now:%d %H:%M:%S}")
        for told in self.at_time:
            told()

    def set_clock(self) -> None:
        """Return the database what time it is, if it has to be told."""
        if not self._clock_is_set:
            self._clock_is_set = True
            self.world.set_clock(self.now)

    def run(self, *, turns: int, between: Callable[[], None], is_done: Callable[[], bool]) -> None:
        """Let the actors act, so many turns or until all is said and done, and then kill what still runs."""
        for _ in range(turns):
            self._wake()
            there = [one for one in self.actors if not one.is_over and one.waits_on is None]
            ready = [
                one for one in there if one.rests_until is None and one.idles_until is None and not one.is_held_back
            ]
            if not ready:
                moments = [one.rests_until for one in there if one.rests_until is not None]
                if (moment := self.next_moment()) is not None and moment > self.now:
                    moments.append(moment)
                if moments:
                    self.pass_time(min(moments) - self.now)
                else:  # all wait for each other: the server ends a deadlock by itself, a moment later
                    self.note("nobody can go on")
                    time.sleep(0.02)
                continue
            if is_done():
                break
            self._give(self.rng.choice(ready))
            between()
        self.close()

    def _give(self, actor: Actor) -> None:
        self.current = actor
        actor.run()
        self.current = None
        if actor.failure is not None:
            failure, actor.failure = actor.failure, None
            raise failure

    def close(self) -> None:
        """End whoever still runs, where they stand."""
        self.is_closing = True
        while left := [one for one in self.actors if not one.is_over]:
            self.settle()
            # whoever waits for a lock can only go once its holder is gone
            self._give(next((one for one in left if one.waits_on is None), left[0]))
        for one in self.actors:
            one.join()
        self.actors = []

    def _wake(self) -> None:
        for one in self.actors:
            if one.rests_until is not None and one.rests_until <= self.now:
                one.rests_until = None
            if one.idles_until is not None and one.idles_until():
                one.idles_until = None
        self.settle()
        for one in self.actors:
            if one.is_held_back and (one.connection is None or self.may_lock(one.connection)):
                one.is_held_back = False

    def may_lock(self, connection: LabConnection) -> bool:
        """Return whether a statement may be started that takes locks: nobody waits, or they wait for this."""
        waiting = [one.waits_on for one in self.actors if one.waits_on is not None]
        return not waiting or self.plan.crowds or any(self.world.is_blocked_by(one, connection) for one in waiting)

    def others_hold(self, actor: Actor) -> bool:
        """Return whether anybody else is in the middle of a transaction."""
        return any(one is not actor and one.is_in_transaction for one in self.actors)

    def settle(self) -> None:
        """Find out who got the lock that they waited for; called wherever locks were let go."""
        for one in self.actors:
            if (connection := one.waits_on) is None:
                continue
            poll = select.poll()
            poll.register(connection.pgconn.socket, select.POLLIN)
            deadline = time.monotonic() + LOCK_PATIENCE
            while True:
                if poll.poll(0):
                    one.waits_on = None
                    break
                if self.world.is_blocked(connection):
                    break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{one.name}: a statement neither ends nor waits for a lock")
                poll.poll(1)
