"""Admission control: run as many requests at once as Lambda would, let a few wait shortly, and refuse the rest.

`chalice local` takes every connection on a thread of its own: without a bound an overload becomes hundreds of requests
that all share one interpreter, and none of them is answered in time. In AWS the gateway and the concurrency of the
function are that bound.

What the product refuses from memory is refused here already: making a Lambda event of it takes this server three times
as long as refusing it, on the interpreter that all others wait for. In AWS the gateway does that work.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any

from chalicelib.entry import limits
from chalicelib.entry.problems import document, headers_of
from chalicelib.kernel.errors import Busy, Fault, TooMany

AT_ONCE = 8  # more only take turns on one interpreter; each still has a database connection of the pool
WAITING = 40  # a fifth of a second of work
TOO_MUCH = "There are more requests than can be answered right now; nothing was done. Try again in a second."
LONGEST_WAIT = 2.0  # seconds in the queue


class Admission:
    """A semaphore with a short queue: first come, first served."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING, longest_wait: float = LONGEST_WAIT) -> None:
        self._free, self._waiting, self._longest_wait = at_once, waiting, longest_wait
        self._line: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Return whether the caller may work, at once or after a short wait; then they have to `leave`."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._line) >= self._waiting:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._line.append(turn)
        if turn.acquire(timeout=self._longest_wait):
            return True
        with self._lock:
            if turn not in self._line:  # it was our turn just as we gave up
                return True
            self._line.remove(turn)
            return False

    def leave(self) -> None:
        """Admit the request that has waited longest."""
        with self._lock:
            if self._line:
                self._line.popleft().release()
            else:
                self._free += 1


def bound(local: Any, admission: Admission) -> None:
    """Make every request of `chalice.local` pass the admission before any work is done."""
    local.LocalGateway.handle_request = _admitted(local.LocalGateway.handle_request, admission)


def _admitted(handle: Callable[..., Any], admission: Admission) -> Callable[..., Any]:
    @wraps(handle)
    def handle_request(self: Any, method: str, path: str, headers: Any, body: bytes | None) -> Any:
        try:
            limits.reject_flood({name.lower(): value for name, value in headers.items()})
        except TooMany as fault:
            return refusal(fault, path.partition("?")[0])
        if not admission.enter():
            return refusal(Busy(TOO_MUCH), path.partition("?")[0])
        try:
            return handle(self, method, path, headers, body)
        finally:
            admission.leave()

    return handle_request


def refusal(fault: Fault, path: str) -> dict[str, Any]:
    """Return the reply to a refused request, in the form that Lambda gives to the gateway."""
    status, body = document(fault, instance=path)
    return {
        "statusCode": status,
        "headers": headers_of(fault),
        "multiValueHeaders": {},
        "body": body,
        "isBase64Encoded": False,
    }
