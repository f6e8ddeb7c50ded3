"""The bench of sales and payouts: the data is as said, the slow way books the same, and no line is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from chalicelib.features.payouts.runs.messages import PayoutRunKind
from infra.labs.bench import data as bench_data
from infra.labs.bench import product as bench_product
from infra.labs.bench.payouts import crews, data, measures, part, product, rowwise, runs
from infra.labs.bench.payouts.crews import Crew
from infra.labs.bench.payouts.data import copied
from infra.labs.bench.payouts.runs import Runs
from infra.labs.bench.table import show
from tests.infra.bench.test_bench import REFERENCES

PEOPLE = 30


@pytest.fixture(scope="module")
def made() -> Iterator[bench_data.Loaded]:
    with pytest.MonkeyPatch.context() as patch, data.loaded(PEOPLE, step=lambda _: None) as loaded:
        patch.setenv("APPLICATION_DATABASE_URL", "")  # so that it is put back
        bench_product.use(loaded.urls.application)
        yield loaded
        bench_product.leave()


@pytest.fixture
def here() -> Crew:
    """Make a crew that works in this process."""
    return Crew(SimpleNamespace(map=map))  # type: ignore[arg-type]


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as admin:
        return admin.execute(query.encode()).fetchall()


class TestFill:
    def test_gives_everybody_ten_pending_sales_and_a_decided_one(self, made: bench_data.Loaded) -> None:
        pending = rows(made.admin_url, "select count(*) from pending_sales group by tenant_id, user_id")
        assert pending == [(10,)] * PEOPLE
        assert rows(made.admin_url, "select count(*), min(earning) >= 10 from sales") == [(11 * PEOPLE, True)]
        assert rows(made.admin_url, "select count(*) from sale_decisions") == [(PEOPLE,)]

    def test_scatters_a_persons_sales_over_the_table(self, made: bench_data.Loaded) -> None:
        [(neighbours,)] = rows(
            made.admin_url,
            "select count(*) filter (where is_same)"
            " from (select user_id = lag(user_id) over (order by ctid) as is_same from sales) s",
        )
        assert neighbours < PEOPLE

    def test_keeps_the_ledger_and_its_balances_in_step(self, made: bench_data.Loaded) -> None:
        assert rows(made.admin_url, OUT_OF_STEP) == []
        assert rows(made.admin_url, "select count(*), sum(amount) > 0 from ledger_entries") == [(5 * PEOPLE, True)]
        unpaid = "select count(*) from ledger_accounts where kind in ('payable', 'advances') and balance <> 0"
        assert rows(made.admin_url, unpaid) == [(0,)]

    def test_tells_each_payout_what_it_pays(self, made: bench_data.Loaded) -> None:
        assert rows(made.admin_url, "select count(*) from payouts") == [(2 * PEOPLE,)]
        assert rows(made.admin_url, UNEXPLAINED) == []

    def test_keeps_every_reference(self, made: bench_data.Loaded) -> None:
        for table, query in rows(made.admin_url, REFERENCES):
            assert rows(made.admin_url, query) == [(0,)], table


class TestClerk:
    def test_books_what_the_product_books(self, made: bench_data.Loaded, here: Crew) -> None:
        work = runs.work_of(made)
        with copied(made) as ours, copied(made) as theirs:
            here.run(ours.url, PayoutRunKind.ADVANCE, work.tenants, hour=0)
            here.call(ours.url, product.decide, work.by_person)
            here.run(ours.url, PayoutRunKind.FINAL, work.tenants, hour=1)
            with rowwise.Clerk(theirs.url) as teller:
                for book in (teller.advance, teller.approve):
                    for person in rowwise.choose(theirs.admin_url, PEOPLE):
                        for sale_id in person.sale_ids:
                            book(person, sale_id)
                        teller.pay(person)
            for query in (LINES, PAYOUTS, OUT_OF_STEP, UNEXPLAINED):
                assert rows(theirs.admin_url, query) == rows(ours.admin_url, query)
            assert len(rows(ours.admin_url, PAYOUTS)) == 4 * PEOPLE
            assert rows(ours.admin_url, "select count(*) from pending_sales") == [(0,)]
            bench_product.leave()


class TestRuns:
    def test_do_nothing_the_second_time(self, made: bench_data.Loaded, here: Crew) -> None:
        done, work = Runs(), runs.work_of(made)
        with runs.advanced(made, work, here, done) as since:
            runs.settle(made, work, here, done, since=since, with_bounds=True)
        assert [took.number for took in (*done.advance, *done.advance_again)] == [PEOPLE, 0]
        assert [took.number for took in (*done.reconcile, *done.final, *done.final_again)] == [10 * PEOPLE, PEOPLE, 0]
        assert done.advance_bound is not None
        assert done.settlement_bound is not None
        assert done.advance_bound.rows == 10 * PEOPLE + 4 * PEOPLE
        assert done.settlement_bound.rows == 30 * PEOPLE + 4 * PEOPLE


class TestCrew:
    def test_works_in_processes_of_its_own(self, made: bench_data.Loaded) -> None:
        work = runs.work_of(made)
        with copied(made) as database, crews.crew(2) as workers:
            assert workers.run(database.url, PayoutRunKind.ADVANCE, work.tenants, hour=0).number == PEOPLE


class TestInTurn:
    def test_takes_one_of_each_until_all_are_taken(self) -> None:
        assert crews.in_turn(["abc", "", "d"]) == ["a", "d", "b", "c"]


class TestMeasures:
    def test_print_all_lines(
        self, made: bench_data.Loaded, here: Crew, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        @contextmanager
        def one(_number: int) -> Iterator[Crew]:
            yield here

        monkeypatch.setattr(measures, "crew", one)
        bulk, done = measures.bulk(made, print, times=1, sample=3)
        lines = [*bulk, *measures.single(made, print, times=3), *measures.growth({PEOPLE: done, 2 * PEOPLE: done})]
        capsys.readouterr()
        show(lines, title="all", command="make bench", notes=part.NOTES)
        printed = capsys.readouterr().out
        for words in (
            "sales imported",
            "advances booked",
            "one transaction per sale",
            "pgbench",
            "2 workers",
            "4 workers",
            "nothing to do",
            "settlements",
            "decisions alone",
            "GET /users/{id}/balance",
            "POST /reconcile of 1",
            "growth, advance",
            "memory",
        ):
            assert words in printed


OUT_OF_STEP = """
    select a.kind, a.owner_id from ledger_accounts a
    left join (
        select tenant_id, kind, case when kind in ('payable', 'advances') then user_id else tenant_id end as owner_id,
            sum(amount) as amount
        from (
            select tenant_id, user_id, debit as kind, amount from ledger_entries
            union all
            select tenant_id, user_id, credit, -amount from ledger_entries
        ) sides group by 1, 2, 3
    ) s using (tenant_id, kind, owner_id)
    where a.balance <> coalesce(s.amount, 0)"""

UNEXPLAINED = """
    select p.id from payouts p
    where p.amount <> (
        select sum(case when 'payable' = e.credit then e.amount else -e.amount end) from ledger_entries e
        where e.tenant_id = p.tenant_id and e.user_id = p.user_id and 'payable' in (e.debit, e.credit)
          and e.number > p.after_number and e.number <= p.through_number and e.event <> 'payout')"""

LINES = """
    select tenant_id, user_id, case event when 'payout' then null else subject_id end, event, revision, line, debit,
        credit, amount
    from ledger_entries order by 1, 2, 4, 6, 9, 3"""

PAYOUTS = """
    select tenant_id, user_id, amount, status, destination_id from payouts order by 1, 2, 3, 4"""
