"""The nightly run: due by local time, once, whatever is repeated, late, missed or killed."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.features.pay_register import calculation as pay_register_calculation
from chalicelib.jobs import progress
from tests.features.pay_register.conftest import Acme, attend, pay
from tests.support.cast import Cast, tenant
from tests.support.people import employee, sql
from tests.support.stack import Stack, at, running

# Half past midnight of 16 January in Dhaka (UTC+6).
NIGHT = "2026-01-16T00:35:00+06:00"


@pytest.fixture(name="stack")
def _stack(database: object) -> Iterator[Stack]:
    with running() as stack:
        yield stack
        sql_all_tenants_done()


def sql_all_tenants_done() -> None:
    """Suspend this test's tenants, so that they are not due in the next test."""
    from sqlalchemy import text

    from chalicelib.backing.database import transaction

    with transaction(role="wagebook_platform") as session:
        session.execute(text("update tenants set status = 'suspended'"))


def night(stack: Stack, moment: str = NIGHT) -> int:
    """Let the schedule find who is due at a moment, and the consumers work; gives how many were due."""
    with at(moment):
        found = stack.tick("balance")["found"]
        stack.drain()
    return found


def balances(acme: Acme, month: str = "2026-01") -> dict[str, tuple[str, str]]:
    rows = acme.cast.hr.ok("GET", f"/balances/{month}")["items"]
    return {row["user_id"]: (row["as_of"], row["earned_to_date"]) for row in rows}


def snapshot(cast: Cast) -> Any:
    registers = sql(cast, "select * from pay_registers order by month, user_id")
    return registers, sql(cast, "select * from balances order by month, user_id")


class TestNight:
    def test_pays_7142_86_as_of_the_15th(self, acme: Acme, stack: Stack) -> None:
        present = [date(2026, 1, d) for d in (1, 4, 5, 6, 7, 8, 11, 12, 13, 14)]  # 10 of the 11 working days
        attend(acme.cast, acme.rahim, present)
        assert night(stack) == 1
        assert balances(acme) == {str(acme.rahim): ("2026-01-15", "7142.86")}
        row = acme.cast.hr.ok("GET", f"/pay-register/2026-01/{acme.rahim}")
        assert row["daily_records"][17]["first_half"]["status"] == "blank"  # the 18th is still to come

    def test_is_due_by_the_tenants_own_clock_and_only_once(self, acme: Acme, stack: Stack) -> None:
        york = tenant("York", timezone="America/New_York")
        assert night(stack, "2026-01-16T00:25:00+06:00") == 1  # Dhaka not yet; New York's 14th is long over
        assert night(stack, "2026-01-16T00:30:00+06:00") == 1
        assert night(stack, "2026-01-16T00:45:00+06:00") == 0
        assert sql(york, "select done_on from nightly_runs") == [(date(2026, 1, 14),)]
        assert sql(acme.cast, "select done_on from nightly_runs") == [(date(2026, 1, 15),)]

    def test_twice_gives_the_same_rows(self, acme: Acme, stack: Stack) -> None:
        attend(acme.cast, acme.rahim, [date(2026, 1, 1)])
        night(stack)
        before = snapshot(acme.cast)
        with at(NIGHT):
            stack.sqs.send_message(QueueUrl=url(stack), MessageBody=f'{{"tenant_id": "{acme.cast.id}"}}')
            assert stack.drain() == 1
        assert snapshot(acme.cast) == before
        assert len(sql(acme.cast, "select 1 from jobs")) == 1

    def test_two_schedulers_at_once_make_one_job(self, acme: Acme, stack: Stack) -> None:
        with at(NIGHT):
            assert [stack.tick("balance")["found"] for _ in range(2)] == [1, 1]
            assert stack.drain() == 2
        assert sql(acme.cast, "select status, done from jobs") == [("succeeded", 1)]

    def test_heals_a_missed_night_even_over_the_end_of_a_month(self, acme: Acme, stack: Stack) -> None:
        attend(acme.cast, acme.rahim, [date(2026, 1, 1) + timedelta(days=n) for n in range(60)])
        night(stack, "2026-01-30T00:35:00+06:00")
        assert balances(acme)[str(acme.rahim)][0] == "2026-01-29"
        night(stack, "2026-02-03T00:35:00+06:00")  # four nights were missed
        healed = snapshot(acme.cast)
        assert balances(acme) == {str(acme.rahim): ("2026-01-31", "15000.00")}
        assert balances(acme, "2026-02")[str(acme.rahim)][0] == "2026-02-02"
        # the same nights, none missed, give the same rows
        sql(acme.cast, "delete from pay_periods")
        sql(acme.cast, "delete from nightly_runs")
        sql(acme.cast, "delete from jobs")
        for day in ("2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"):
            assert night(stack, f"{day}T00:35:00+06:00") == 1
        assert snapshot(acme.cast) == healed

    def test_brings_a_late_fact_of_an_earlier_open_month(self, acme: Acme, stack: Stack) -> None:
        night(stack, "2026-02-10T00:35:00+06:00")
        sql(acme.cast, "delete from pay_periods where month = '2026-02'")
        acme.cast.hr.ok("POST", "/pay-register/2026-01/sync", {})
        assert balances(acme)[str(acme.rahim)][1] == "0.00"
        body = [{"employee_no": "E-1", "date": "2026-01-05", "status": "present"}]
        acme.cast.hr.ok("POST", "/attendance/import", body)
        assert acme.cast.hr.ok("GET", "/pay-register/2026-01")["period"]["is_stale"] is True
        night(stack, "2026-02-11T00:35:00+06:00")
        assert balances(acme)[str(acme.rahim)][1] == "714.29"
        assert acme.cast.hr.ok("GET", "/pay-register/2026-01")["period"]["is_stale"] is False

    def test_leaves_a_locked_month_as_it_was_paid(self, acme: Acme, stack: Stack) -> None:
        acme.cast.hr.ok("POST", "/pay-register/2026-01/sync", {})
        acme.cast.admin.ok("POST", "/pay-register/2026-01/lock", {})
        attend(acme.cast, acme.rahim, [date(2026, 1, 5)])
        night(stack, "2026-02-01T00:35:00+06:00")
        assert balances(acme)[str(acme.rahim)][1] == "0.00"

    def test_is_done_where_the_only_month_is_locked(self, acme: Acme, stack: Stack) -> None:
        with at("2026-02-01T00:10:00+06:00"):
            acme.cast.admin.ok("POST", "/pay-register/2026-01/lock", {})
        night(stack, "2026-02-01T00:35:00+06:00")
        assert sql(acme.cast, "select status from jobs") == [("succeeded",)]
        assert sql(acme.cast, "select done_on from nightly_runs") == [(date(2026, 1, 31),)]


class TestChunks:
    @pytest.fixture(autouse=True)
    def _small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pay_register_calculation, "CHUNK_EMPLOYEES", 3)

    def grown(self, acme: Acme) -> None:
        for number in range(7):
            user_id = employee(acme.cast, name=f"N{number}", employee_no=f"N-{number}")
            pay(acme.cast, user_id, "3000.00")
            attend(acme.cast, user_id, [date(2026, 1, 1 + number)])

    def test_come_to_the_same_rows_as_one(self, acme: Acme, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.grown(acme)
        night(stack)
        [job] = acme.cast.hr.ok("GET", "/jobs")["items"]
        assert job["status"] == "succeeded"
        assert job["progress"] == {"done": 8, "total": 8}
        assert job["result"] == {"months": ["2026-01"], "as_of": "2026-01-15", "changed": 8}
        rows = snapshot(acme.cast)
        monkeypatch.setattr(pay_register_calculation, "CHUNK_EMPLOYEES", 5000)
        sql(acme.cast, "delete from pay_registers")
        sql(acme.cast, "delete from balances")
        sql(acme.cast, "delete from nightly_runs")
        sql(acme.cast, "delete from jobs")
        night(stack)
        assert snapshot(acme.cast) == rows

    def test_survive_a_kill_in_the_middle(self, acme: Acme, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.grown(acme)
        real, killed = pay_register_calculation.project, []

        def dies_once(*args: Any, **named: Any) -> int:
            if len(killed) < 1:
                killed.append(real(*args, **named))  # the work is done, and lost with its transaction
                raise RuntimeError("killed")
            return real(*args, **named)

        monkeypatch.setattr(pay_register_calculation, "project", dies_once)
        night(stack)
        assert sql(acme.cast, "select status, done, total from jobs") == [("running", 5, 8)]
        assert stack.waiting(pay_register_calculation.QUEUE) == 1  # it rests, and comes back
        chunk = sql(acme.cast, "select job_id, number from job_chunks where done_at is null")[0]
        with at(NIGHT):
            body = (
                f'{{"tenant_id": "{acme.cast.id}", "job_id": "{chunk[0]}", "chunk": {chunk[1]},'
                ' "months": ["2026-01"], "as_of": "2026-01-15", "night": "balance"}'
            )
            for _ in range(2):  # and twice
                stack.sqs.send_message(QueueUrl=url(stack, pay_register_calculation.QUEUE), MessageBody=body)
            stack.drain()
        assert sql(acme.cast, "select status, done from jobs") == [("succeeded", 8)]
        assert len(balances(acme)) == 8

    def test_that_fail_for_good_are_told_and_started_again_by_the_next_round(
        self, acme: Acme, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.grown(acme)
        night(stack)
        sql(acme.cast, "delete from nightly_runs")
        job_id = sql(acme.cast, "update jobs set status = 'running' returning id")[0][0]
        with progress_scope(acme) as scope:
            progress.fail(scope, message={"job_id": str(job_id)}, why="it failed 5 times")
        assert acme.cast.hr.ok("GET", f"/jobs/{job_id}")["error"] == "it failed 5 times"
        night(stack, "2026-01-16T00:50:00+06:00")
        assert acme.cast.hr.ok("GET", f"/jobs/{job_id}")["status"] == "succeeded"

    def test_are_shown_to_nobody_else(self, acme: Acme, stack: Stack, zenith: Cast) -> None:
        night(stack)
        [job] = acme.cast.hr.ok("GET", "/jobs")["items"]
        assert zenith.hr.get(f"/jobs/{job['id']}").status == 404
        assert zenith.hr.get(f"/jobs/{uuid4()}").status == 404


def progress_scope(acme: Acme) -> Any:
    from tests.support.cases import open_scope

    return open_scope(acme.cast.id)


def url(stack: Stack, queue: str = "balances") -> str:
    return str(stack.sqs.get_queue_url(QueueName=f"wagebook-{queue}")["QueueUrl"])
