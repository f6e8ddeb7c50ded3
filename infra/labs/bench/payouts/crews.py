"""Workers that take messages and calls from one queue, as Lambda takes them from SQS: a free one takes the next.

A tenant's chunks contend for its own accounts, as in production; messages of several tenants are taken in turn, as SQS
does with message groups.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest
from multiprocessing import get_context
from typing import Any, TypeVar
from uuid import UUID

from infra.labs.bench.payouts import product
from infra.labs.bench.payouts.product import Did
from infra.labs.bench.product import use

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Took:
    """What a crew did, in how many seconds, and the peak memory of its largest worker."""

    number: int
    seconds: float
    peak_mb: float


class Crew:
    """Workers, started once; each call names the database that they work on."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def run(self, url: str, kind: str, tenants: Sequence[UUID], *, hour: int) -> Took:
        """Process an hour's payout runs: each tenant's message, then the chunk messages that these send."""
        slot = f"2026-02-01T{hour:02}:00:00+00:00"
        began = time.monotonic()
        first = [{"tenant_id": str(tenant_id), "kind": kind, "slot": slot} for tenant_id in tenants]
        done = self._all(url, product.carry_out, first)
        chunks = self._all(url, product.carry_out, in_turn([one.messages for one in done]))
        return _took([*done, *chunks], began)

    def call(self, url: str, function: Callable[[Any], Did], calls: Iterable[Any]) -> Took:
        """Make calls, a transaction each."""
        began = time.monotonic()
        return _took(self._all(url, function, calls), began)

    def _all(self, url: str, function: Callable[[Any], Did], items: Iterable[Any]) -> list[Did]:
        return list(self._pool.map(partial(_at, url, function), items))


@contextmanager
def crew(number: int) -> Iterator[Crew]:
    """Start workers."""
    with ProcessPoolExecutor(number, mp_context=get_context("spawn")) as pool:
        list(pool.map(product.ids_of, [b""] * number * 4))  # started, imported
        yield Crew(pool)


_where = ""  # the database that this process works on


def _at(url: str, function: Callable[[Any], Did], item: Any) -> Did:
    global _where
    if _where != url:
        use(url)
        _where = url
    return function(item)


def in_turn(groups: Iterable[Sequence[T]]) -> list[T]:
    """Take from each group in turn."""
    rounds = zip_longest(*groups)
    return [one for one in chain.from_iterable(rounds) if one is not None]


def _took(all_did: Sequence[Did], began: float) -> Took:
    return Took(
        sum(did.number for did in all_did),
        time.monotonic() - began,
        max((did.peak_mb for did in all_did), default=0.0),
    )
