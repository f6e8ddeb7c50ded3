"""`python -m infra.labs.drills.migration`: change the schema under load by expand and contract, no request fails."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from chalicelib.operators import scopes
from infra.labs.drills import company, load, surroundings
from infra.labs.drills.backfill import backfill
from infra.labs.drills.load import Load
from infra.labs.drills.steps import DrillFailure, Step, Steps
from infra.labs.load.figures import Answer
from infra.local import postgres
from migrations import setup
from migrations.setup import Urls

TITLE = "Migration drill: expand and contract under load"
VERSIONS = Path(__file__).parent / "versions"
SALES, PEOPLE = 20_000, 40
WORKERS, PER_SECOND = 2, 20.0
CALM = 2.0  # seconds of load before, between and after, to compare with
LOCK_HELD_FOR = 8.0  # seconds of a transaction that locks the table: longer than the lock_timeout of migrations/env.py


def drill(steps: Steps, home: Path) -> None:
    """Run the drill on a server of its own."""
    with postgres.running(home / "postgres") as server:
        with steps.step("start a server, migrate, put in sales") as step:
            urls = setup.prepare(server.admin_url, surroundings.passwords())
            setup.upgrade(urls.migrator)
            surroundings.use(urls.application)
            office = company.create_company()
            people = [office.seller(f"Seller {nth}") for nth in range(PEOPLE)]
            rows = [
                {"user_id": people[nth % PEOPLE], "external_id": f"S{nth}", "earning": "40.00"} for nth in range(SALES)
            ]
            report = office.admin.ok("POST", "/sales/import", rows)
            step.seen = f"{report['added']:,} sales of {PEOPLE} people"
        windows: list[tuple[Step, float, float]] = []
        with load.running(urls.application, office.admin.key, people, workers=WORKERS, per_second=PER_SECOND) as under:
            _migrate(steps, windows, server.admin_url, urls)
        _judge(steps, windows, under)


def _migrate(steps: Steps, windows: list[tuple[Step, float, float]], admin_url: str, urls: Urls) -> None:
    """Migrate step by step while the load goes on."""

    @contextmanager
    def watched_step(name: str) -> Iterator[Step]:
        with steps.step(name) as step:
            began = time.monotonic()
            yield step
        windows.append((step, began, time.monotonic()))

    def to(revision: str, name: str, outcome: str, on_retry: Callable[[int], None] = lambda _: None) -> int:
        with watched_step(name) as step:
            tries = setup.upgrade(urls.migrator, revision, also=VERSIONS, on_retry=on_retry)
            step.seen = outcome + (f", at try {tries}" if tries > 1 else "")
        return tries

    with watched_step("load alone"):
        time.sleep(CALM)
    with _table_locked(admin_url):
        tries = to(
            "drill_expand", f"expand, while somebody holds the table for {LOCK_HELD_FOR:.0f} s", "gave up, came again"
        )
    if tries < 2:
        raise DrillFailure("the migration did not have to give up: nothing is proven about waiting")
    with watched_step("the load catches up"):  # so that later steps are not blamed for calls that waited here
        time.sleep(LOCK_HELD_FOR)
    with watched_step("backfill") as step:
        tenants = [tenant.id for tenant in scopes.get_tenants()]
        rows, transactions = backfill(
            urls.migrator, tenants, table="sales", change="channel = 'direct'", where="channel is null"
        )
        step.seen = f"{rows:,} rows in {transactions} transactions"
        if rows < SALES:
            raise DrillFailure(f"only {rows} of {SALES} rows were filled")
    to("drill_promise", "enforce: constraint, not valid", "holds for new rows")
    to("drill_validate", "enforce: validate", "holds for all rows")
    to("drill_index", "index, concurrently", "made")
    to("drill_payouts", "expand payouts", "a column more in rows that statements give back whole")
    with watched_step("old code on the new schema"):
        time.sleep(CALM)
    to("drill_contract", "contract", "column, constraint and index are gone")
    with watched_step("old code after the contraction"):
        time.sleep(CALM)
    with (
        watched_step(f"for comparison: without lock_timeout, behind {LOCK_HELD_FOR:.0f} s") as step,
        _table_locked(admin_url),
    ):
        with psycopg.connect(urls.migrator) as connection:
            connection.execute("set role wagebook_owner")
            connection.execute("alter table sales add column channel text")
        step.seen = "waited, and everybody behind it"


@contextmanager
def _table_locked(admin_url: str) -> Iterator[None]:
    """Hold a lock on the table meanwhile, as a long report does: a transaction that read it and does not end."""
    is_locked = threading.Event()

    def hold_lock() -> None:
        url = make_url(admin_url).set(database="wagebook").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            connection.execute("select count(*) from sales")
            is_locked.set()
            time.sleep(LOCK_HELD_FOR)

    thread = threading.Thread(target=hold_lock, daemon=True)
    thread.start()
    if not is_locked.wait(10):
        raise DrillFailure("nobody could hold the table")
    yield
    thread.join()


def _judge(steps: Steps, windows: list[tuple[Step, float, float]], under: Load) -> None:
    for step, began, ended in windows:
        # a call belongs to whatever it overlapped: one that was due before may have been kept waiting by it
        seen = [one for one in under.answers if one.due < ended and one.due + one.seconds > began]
        summary = f"{len(seen)} calls, {failures(seen)} failed, slowest {slowest(seen):.0f} ms"
        step.seen = f"{step.seen}: {summary}" if step.seen else summary
    with steps.step("all calls") as step:
        failed = [one for one in under.answers if one.failed]
        if failed:
            raise DrillFailure(
                f"{len(failed)} of {len(under.answers)} calls failed: {failed[0].what} {failed[0].status}"
                f" {failed[0].problem[:200]}"
            )
        writes = sum(one.what.startswith("POST") for one in under.answers)
        step.seen = f"{len(under.answers)} calls, {writes} of them writes, 0 failed"
    with steps.step("messages that failed at first") as step:
        why = f": {Counter(under.retried).most_common(1)[0][0]}" if under.retried else ""
        step.seen = f"{len(under.retried)}, of which {under.waiting_for_retry} still wait for their next try{why}"


def failures(answers: list[Answer]) -> int:
    """Count the calls that failed."""
    return sum(one.failed for one in answers)


def slowest(answers: list[Answer]) -> float:
    """Return the milliseconds of the slowest call, from when it was due."""
    return 1000 * max((one.seconds for one in answers), default=0.0)


def main() -> int:
    """Run the drill and print its table; return 0 if every step passed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server and its folder are removed
    steps = Steps(TITLE)
    try:
        with tempfile.TemporaryDirectory(prefix="wagebook-drill-") as folder, surroundings.product():
            Path(folder).chmod(0o711)
            drill(steps, Path(folder))
    except Exception as error:
        if not any(step.problem for step in steps.done):
            raise
        steps.console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
    finally:
        steps.show()
    if steps.passed:
        steps.console.print(
            "Proven: the schema was changed under load, and no request failed; the last row tells of messages."
        )
    return 0 if steps.passed else 1


if __name__ == "__main__":
    sys.exit(main())
