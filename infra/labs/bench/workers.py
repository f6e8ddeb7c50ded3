"""Workers: the product's computation in processes of their own, so that memory and scaling can be measured."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

from infra.labs.bench import product
from infra.labs.bench.product import Chunk, Run


@contextmanager
def workers(url: str, number: int) -> Iterator[Callable[[Sequence[Chunk]], Run]]:
    """Start workers, and yield a function that computes chunks with them and sums up their runs."""
    with ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=partial(product.use, url)) as pool:
        list(pool.map(product.compute, [[]] * number * 4))  # started, imported, connected

        def run(chunks: Sequence[Chunk]) -> Run:
            dealt = _distribute(chunks, number)
            return _combine(list(pool.map(product.compute, dealt)))

        yield run


def _distribute(chunks: Sequence[Chunk], number: int) -> list[list[Chunk]]:
    # the largest first, each to the worker who has least: a queue's order evens out the same way
    shares: list[list[Chunk]] = [[] for _ in range(number)]
    for chunk in sorted(chunks, key=lambda c: -c.employees):
        min(shares, key=lambda share: sum(c.employees for c in share)).append(chunk)
    return shares


def _combine(runs: list[Run]) -> Run:
    # the clock is the machine's, so the processes' readings compare
    return Run(
        sum(r.employees for r in runs),
        sum(r.changed for r in runs),
        min(r.began for r in runs),
        max(r.ended for r in runs),
        max(r.balances for r in runs),
        max(r.peak_mb for r in runs),
    )
