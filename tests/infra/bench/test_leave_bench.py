"""The bench of leave expiry on a hundred people: the data is as said, the slow way books what the product books."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra.labs.bench import data as bench_data
from infra.labs.bench.leave import data, part, runs
from infra.labs.bench.leave.rowwise import Clerk, choose
from infra.labs.bench.leave.runs import EXPIRES, WARNS
from infra.labs.bench.payouts.data import Database, copied
from infra.labs.bench.table import show

PEOPLE = 100


@pytest.fixture(scope="module", name="bench_server")
def _made() -> Iterator[bench_data.Loaded]:
    with pytest.MonkeyPatch.context() as patch, data.loaded(PEOPLE, step=print) as server:
        patch.setenv("APPLICATION_DATABASE_URL", "")  # so that it is put back
        yield server


def rows(database: Database, query: str) -> list[Any]:
    with psycopg.connect(database.admin_url) as admin:
        return admin.execute(query.encode()).fetchall()


class TestNight:
    def test_deals_with_everybody_once(self, bench_server: bench_data.Loaded) -> None:
        with copied(bench_server) as database:
            night = runs.run(database.url, database.admin_url, EXPIRES)
            assert rows(
                database,
                "select count(*) from leave_allocations where expired_at is null and expires_on = '2026-01-31'",
            ) == [(0,)]
            assert min(night.rows["adjustments"], night.rows["cycles made"]) > PEOPLE / 10
            assert runs.run(database.url, database.admin_url, EXPIRES).rows == night.rows

    @pytest.mark.parametrize(("as_of", "what"), [
        (EXPIRES, "select allocation_id, bucket, days, cause from leave_entries where bucket <> 'carried'"
                  " order by 1, 2"),
        (EXPIRES, "select user_id, amount, currency, source_id from payroll_adjustments order by 1"),
        (EXPIRES, "select user_id, cycle_end_on, expires_on, carried_days from leave_allocations"
                  " where cycle_start_on = '2026-02-01' order by 1"),
        (WARNS, "select allocation_id, step, days, expires_on from leave_warnings order by 1"),
        (WARNS, "select user_id, channel, status from notification_logs order by 1, 2"),
    ])  # fmt: skip
    def test_is_what_one_allocation_at_a_time_comes_to(
        self, bench_server: bench_data.Loaded, as_of: Any, what: str
    ) -> None:
        with copied(bench_server) as ours, copied(bench_server) as theirs:
            runs.run(ours.url, ours.admin_url, as_of)
            with Clerk(theirs.url) as clerk:
                clerk.rate(choose(theirs.admin_url, PEOPLE), as_of, warm=1)
            assert rows(ours, what) == rows(theirs, what) != []


class TestMeasures:
    def test_print_all_lines(self, bench_server: bench_data.Loaded, capsys: pytest.CaptureFixture[str]) -> None:
        by_size = {people: {EXPIRES: people / 100, WARNS: people / 100} for people in (100, 200)}
        lines = [*part._lines(EXPIRES, PEOPLE, 2.0, 1.0, 10.0), *part._growth(by_size)]
        assert part._by_hand(bench_server, WARNS, print, sample=10) > 0
        capsys.readouterr()
        show(lines, title="all", command="make bench", notes=part.NOTES)
        printed = capsys.readouterr().out
        for words in (
            "of everybody in one night",
            "one transaction per allocation",
            "nothing to do",
            "growth, warnings",
        ):
            assert words in printed
