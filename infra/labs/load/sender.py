"""Send calls over the network from a process of its own: open loop (each at its moment) or closed loop.

A call is timed from when it was due, so that one that waited behind slow ones counts as slow, too. It imports nothing
of the product: it is a client like any other.
"""

from __future__ import annotations

import heapq
import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from infra.labs.load.calls import Call, Calls, Tenant
from infra.labs.load.figures import Answer, dues

CALLERS = 256  # connections at once; more calls than that under way wait, and are timed from when they were due
TIMEOUT = 30.0  # seconds until a caller gives up


@dataclass(frozen=True, slots=True)
class Stream:
    """The calls of a tenant: how many a second, by which seed."""

    tenant: Tenant
    per_second: float
    seed: int


class Sender:
    """The sending process."""

    def __init__(self, port: int, pool: ProcessPoolExecutor) -> None:
        self._port, self._pool = port, pool

    def offer(self, streams: Sequence[Stream], seconds: float) -> tuple[list[Answer], float]:
        """Send calls at their moments (open loop); return the answers, and the moment of the first call."""
        return self._pool.submit(_offer, self._port, list(streams), seconds).result()

    def press(self, tenants: Sequence[Tenant], seconds: float, *, callers: int, seed: int) -> list[Answer]:
        """Let callers send one call after another (closed loop); return the answers."""
        return self._pool.submit(_press, self._port, list(tenants), seconds, callers, seed).result()


@contextmanager
def sender(port: int) -> Iterator[Sender]:
    """Run a sending process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield Sender(port, pool)


class Caller:
    """One connection, kept open while it can be."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def make(self, call: Call, due: float) -> Answer:
        """Make a call and return its answer; status 0 where there was none."""
        sent = time.monotonic()
        common: dict[str, Any] = {"what": call.what, "who": call.who, "due": due, "late": sent - due}
        try:
            self._connection.request(call.method, call.path, call.body, call.headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(**common, seconds=time.monotonic() - due, status=0, problem=type(error).__name__)
        return Answer(
            **common,
            seconds=time.monotonic() - due,
            status=answer.status,
            problem="" if answer.status < 300 else body[:150].decode(errors="replace"),
            has_retry_after=(answer.getheader("Retry-After") or "").isdecimal(),
        )


def _offer(port: int, streams: list[Stream], seconds: float) -> tuple[list[Answer], float]:
    calls = heapq.merge(*(_calls_of(one, seconds) for one in streams), key=lambda due_call: due_call[0])
    rest = iter(list(calls))
    began, lock = time.monotonic() + 0.2, threading.Lock()

    def next_call() -> tuple[float, Call] | None:
        with lock:
            next_due = next(rest, None)
        if next_due is None:
            return None
        due = began + next_due[0]
        time.sleep(max(0.0, due - time.monotonic()))
        return due, next_due[1]

    return _all(port, CALLERS, lambda _: next_call), began


def _press(port: int, tenants: list[Tenant], seconds: float, callers: int, seed: int) -> list[Answer]:
    until = time.monotonic() + seconds

    def calls_of(number: int) -> Callable[[], tuple[float, Call] | None]:
        mix = Calls(tenants[number % len(tenants)], seed + number)
        return lambda: (now, mix.next()) if (now := time.monotonic()) < until else None

    return _all(port, callers, calls_of)


def _calls_of(stream: Stream, seconds: float) -> Iterator[tuple[float, Call]]:
    mix = Calls(stream.tenant, stream.seed)
    for due in dues(seconds, stream.per_second, stream.seed):
        yield due, mix.next()


def _all(port: int, callers: int, calls_of: Callable[[int], Callable[[], tuple[float, Call] | None]]) -> list[Answer]:
    answers: list[Answer] = []

    def work(number: int) -> None:
        caller, next_call = Caller(port), calls_of(number)
        while (due_call := next_call()) is not None:
            due, call = due_call
            answers.append(caller.make(call, due))
        caller.close()

    threads = [threading.Thread(target=work, args=[number], daemon=True) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
