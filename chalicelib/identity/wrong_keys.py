"""Slow down repeated wrong API keys: 429 with Retry-After, per key prefix and IP address, counted in this process.

A secret has 256 bits and cannot be guessed, but a client that goes on with a revoked key costs a query per request. So
keys that were wrong are refused from memory until the window ends. Other keys are still looked up: a valid key works
from the same address, even if other clients share it. Each process counts by itself, which is enough to slow one
client and needs no shared state.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil

from chalicelib.identity import keys
from chalicelib.kernel.errors import TooMany, Unauthenticated

ALLOWED = 10  # wrong keys of one prefix from one address in a window, answered with 401
WINDOW = 60.0  # seconds
MOST_KEPT = 5_000  # pairs of prefix and address; beyond that the oldest are forgotten


@dataclass(slots=True)
class _Misses:
    """Wrong keys of one prefix from one address, since the window began."""

    ends: float
    count: int = 0
    digests: set[bytes] = field(default_factory=set)


_lock = threading.Lock()
_misses: OrderedDict[tuple[str, str], _Misses] = OrderedDict()


class WrongKeys(TooMany):
    title = "Too many wrong keys"


def refuse_known(key: str, address: str | None) -> None:
    """Refuse a key known to be wrong, after too many wrong ones, without a query. Raises WrongKeys."""
    with _lock:
        misses = _current(key, address)
        if misses is None or misses.count < ALLOWED or keys.digest(key) not in misses.digests:
            return
        raise _refusal(misses)


def note(key: str, address: str | None, refusal: Unauthenticated) -> Unauthenticated | TooMany:
    """Count a wrong key and return the error to raise: `refusal`, or WrongKeys (429) after too many."""
    with _lock:
        misses = _current(key, address)
        if misses is None:
            while len(_misses) >= MOST_KEPT:
                _misses.popitem(last=False)
            misses = _misses[_pair(key, address)] = _Misses(time.monotonic() + WINDOW)
        misses.count += 1
        if len(misses.digests) < ALLOWED:
            misses.digests.add(keys.digest(key))
        return refusal if misses.count <= ALLOWED else _refusal(misses)


def clear() -> None:
    """Forget all wrong keys, as a new process has none."""
    with _lock:
        _misses.clear()


def _pair(key: str, address: str | None) -> tuple[str, str]:
    kind, _, rest = key.partition("_")
    tenant, is_whole, _ = rest.partition("_")
    prefix = f"{kind}_{tenant}" if is_whole else kind
    return prefix[:40], address or ""


def _current(key: str, address: str | None) -> _Misses | None:
    misses = _misses.get(_pair(key, address))
    if misses is not None and misses.ends <= time.monotonic():
        del _misses[_pair(key, address)]
        return None
    return misses


def _refusal(misses: _Misses) -> WrongKeys:
    """Return the 429 of an address that sent too many wrong keys."""
    wait = max(1, ceil(misses.ends - time.monotonic()))
    return WrongKeys(
        f"{misses.count} wrong API keys came from this address; try again in {wait} s with a key that is"
        " right, which works at once.",
        wait=wait,
    )
