"""Runs of the product over all sales, each from a copy of the same database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from chalicelib.features.payouts.runs.messages import PayoutRunKind
from infra.labs.bench.data import Loaded
from infra.labs.bench.payouts import product, yardsticks
from infra.labs.bench.payouts.crews import Crew, Took, crew, in_turn
from infra.labs.bench.payouts.data import Database, copied
from infra.labs.bench.payouts.yardsticks import Bound

MOST_ITEMS, MOST_ROWS = 10_000, 5_000


@dataclass(slots=True)
class Runs:
    """What each run took."""

    advance: list[Took] = field(default_factory=list)
    advance_again: list[Took] = field(default_factory=list)
    reconcile: list[Took] = field(default_factory=list)
    final: list[Took] = field(default_factory=list)
    final_again: list[Took] = field(default_factory=list)
    advance_bound: Bound | None = None
    settlement_bound: Bound | None = None

    @property
    def settlement(self) -> list[float]:
        return [one.seconds + two.seconds for one, two in zip(self.reconcile, self.final, strict=True)]

    @property
    def peak_mb(self) -> float:
        return max(took.peak_mb for took in [*self.advance, *self.reconcile, *self.final])


@dataclass(frozen=True, slots=True)
class Work:
    """The work: all tenants, and the calls that decide all their pending sales."""

    tenants: Sequence[UUID]
    by_person: Sequence[tuple[UUID, bytes]]
    by_time: Sequence[tuple[UUID, bytes]]


def work_of(server: Loaded) -> Work:
    """Split all pending sales into calls of at most 10,000: by person, or in the order of time."""
    with psycopg.connect(server.admin_url) as admin:
        tenants = [row[0] for row in admin.execute("select id from tenants order by id").fetchall()]
        return Work(tenants, _calls(admin, "user_id, sale_id"), _calls(admin, "sale_id"))


def advance(server: Loaded, work: Work, workers: Crew, runs: Runs) -> None:
    """Book all advances and create their payouts."""
    with copied(server) as database:
        runs.advance.append(workers.run(database.url, PayoutRunKind.ADVANCE, work.tenants, hour=0))


@contextmanager
def advanced(server: Loaded, work: Work, workers: Crew, runs: Runs) -> Iterator[Database]:
    """Yield a database with all advances booked, from which settlements begin; a second run changes nothing."""
    with copied(server) as database:
        runs.advance.append(workers.run(database.url, PayoutRunKind.ADVANCE, work.tenants, hour=0))
        runs.advance_again.append(workers.run(database.url, PayoutRunKind.ADVANCE, work.tenants, hour=1))
        database.settle_down()
        yield database


def settle(
    server: Loaded,
    work: Work,
    workers: Crew,
    runs: Runs,
    *,
    since: Database,
    by_time: bool = False,
    with_bounds: bool = False,
) -> None:
    """Decide all sales and create the final payouts, on a copy of a database with all advances booked.

    With `with_bounds`, measure the bounds as well.
    """
    calls = work.by_time if by_time else work.by_person
    with copied(server, of=since.name) as database:
        middle = yardsticks.last_number(database)
        runs.reconcile.append(workers.call(database.url, product.decide, calls))
        runs.final.append(workers.run(database.url, PayoutRunKind.FINAL, work.tenants, hour=2))
        if with_bounds:
            runs.final_again.append(workers.run(database.url, PayoutRunKind.FINAL, work.tenants, hour=3))
            before, last = server.rows["ledger_entries"], yardsticks.last_number(database)
            runs.advance_bound = yardsticks.bound(database, yardsticks.WRITTEN, after=before, through=middle)
            runs.settlement_bound = yardsticks.bound(database, yardsticks.WRITTEN, after=middle, through=last)


def everything(server: Loaded, *, times: int) -> Runs:
    """Advance and settle everything with one worker."""
    work, runs = work_of(server), Runs()
    with crew(1) as workers:
        for _ in range(times - 1):
            advance(server, work, workers, runs)
        with advanced(server, work, workers, runs) as since:
            for _ in range(times):
                settle(server, work, workers, runs, since=since)
    return runs


def bring_in(server: Loaded, workers: Crew) -> tuple[Took, Took, Bound]:
    """Import two new sales for each person there is, in calls of 5,000, and then the same once more."""
    with psycopg.connect(server.admin_url) as admin:
        people = admin.execute(
            "select tenant_id, string_agg(uuid_send(user_id), ''::bytea order by user_id) from bench.people"
            " group by 1 order by count(*) desc, 1"
        ).fetchall()
    calls: list[tuple[UUID, bytes, int, int]] = []
    for tenant_id, user_ids in people:
        left = 2 * server.employees - sum(size for *_, size in calls)
        rows = min(5 * len(user_ids) // 16, left)
        calls += [(tenant_id, user_ids, at, min(MOST_ROWS, rows - at)) for at in range(0, rows, MOST_ROWS)]
    with copied(server) as database:
        first = workers.call(database.url, product.bring_in, calls)
        again = workers.call(database.url, product.bring_in, calls)
        return first, again, yardsticks.bound(database, yardsticks.NEW_SALES, moves=False)


def _calls(admin: psycopg.Connection, order: str) -> list[tuple[UUID, bytes]]:
    size = 16 * MOST_ITEMS
    rows = admin.execute(
        f"select tenant_id, string_agg(uuid_send(sale_id), ''::bytea order by {order}) from pending_sales"
        " group by 1 order by 1".encode()
    ).fetchall()
    return in_turn([[(tenant_id, ids[at : at + size]) for at in range(0, len(ids), size)] for tenant_id, ids in rows])
