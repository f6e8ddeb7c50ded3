"""Posting: what a payslip books, and that it is booked once, whatever is killed, repeated or done at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from chalicelib.features.payroll.approval import posting
from chalicelib.jobs.progress import JobChunk
from tests.features.payroll.runs import (
    D,
    adjustment,
    approve,
    arrears,
    booked,
    calculated,
    carried,
    components,
    deliver,
    late,
    payslip,
    run_of,
)
from tests.ledger.books import at_work
from tests.support.cast import Cast
from tests.support.payouts import books, once, payable, taken
from tests.support.people import employee, sql
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("running")  # payslips are made into files by messages


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> Any:
    components(acme)
    return employee(acme)


class TestPost:
    def test_splits_the_gross_into_what_everybody_is_owed(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        slip = payslip(acme, run_id, rahim, salary="15000.00", deductions="1000.00", taxes="1200.00")
        job = approve(acme, run_id)
        assert booked(acme, slip) == [
            "1 wage_cost to payable 12800.00",
            "2 wage_cost to taxes_withheld 1200.00",
            "3 wage_cost to deductions_withheld 1000.00",
        ]
        assert (job["status"], job["result"]) == ("succeeded", {"payslips": 1, "amounts": {"BDT": "12800.00"}})
        assert books(acme) == {
            "wage_cost BDT": D(15000),
            "payable BDT": D(-12800),
            "taxes_withheld BDT": D(-1200),
            "deductions_withheld BDT": D(-1000),
        }
        [audited] = sql(acme, "select after from audit_logs where action = 'payroll_run.approved'")
        assert audited.after["totals"][0] == {
            "currency": "BDT",
            "payslips": 1,
            "gross": "15000.00",
            "deductions": "1000.00",
            "taxes": "1200.00",
            "net": "12800.00",
            "pays": "12800.00",
            "carried": "0.00",
        }

    def test_books_nothing_of_a_payslip_of_nothing(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        slip = payslip(acme, run_id, rahim)
        assert approve(acme, run_id)["result"] == {"payslips": 1, "amounts": {"BDT": "0.00"}}
        assert booked(acme, slip) == []
        assert run_of(acme, run_id).posted_at is not None

    def test_books_adjustments_with_the_pay_they_belong_to(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        lines = [adjustment(acme, rahim, "500.00"), adjustment(acme, rahim, "-80.00")]
        slip = payslip(acme, run_id, rahim, salary="1000.00", one_offs=lines)
        approve(acme, run_id)
        assert booked(acme, slip) == ["1 wage_cost to payable 1420.00", "3 wage_cost to deductions_withheld 80.00"]

    def test_books_arrears_in_their_categories(self, acme: Cast, rahim: Any) -> None:
        # December is worth 1,000 more: 100 more tax and 50 more loan; what the employer puts in is not booked
        run_id = calculated(acme)
        lines = [
            late("earned_salary", "earning", "1000.00"),
            late("loan", "deduction", "50.00"),
            late("tax", "tax", "100.00"),
            late("pension", "benefit", "260.00"),
        ]
        slip = payslip(acme, run_id, rahim, salary="15000.00", deductions="500.00", taxes="1200.00", one_offs=lines)
        approve(acme, run_id)
        assert booked(acme, slip) == [
            "1 wage_cost to payable 14150.00",  # 16,000 - 550 - 1,300
            "2 wage_cost to taxes_withheld 1300.00",
            "3 wage_cost to deductions_withheld 550.00",
        ]
        assert books(acme)["wage_cost BDT"] == 16000  # January's 15,000 and December's 1,000 more

    def test_gives_back_what_is_below_0_in_each_category(self, acme: Cast, rahim: Any) -> None:
        # December is worth 3,000 less: 300 less tax, 40 less loan, of January's 1,000 with a tax of 100
        run_id = calculated(acme)
        lines = [
            late("earned_salary", "earning", "-3000.00"),
            late("loan", "deduction", "-40.00"),
            late("tax", "tax", "-300.00"),
        ]
        slip = payslip(acme, run_id, rahim, salary="1000.00", taxes="100.00", one_offs=lines)
        job = approve(acme, run_id)
        assert booked(acme, slip) == [
            "2 taxes_withheld to wage_cost 200.00",
            "3 deductions_withheld to wage_cost 40.00",
            "5 pay_carried to wage_cost 1760.00",  # 1,000 - 3,000 + 40 + 200
        ]
        assert books(acme)["wage_cost BDT"] == -2000
        assert (job["result"]["amounts"], payable(acme, rahim)) == ({"BDT": "0.00"}, 0)

    def test_books_a_net_line_of_before_by_what_it_is_made_of(self, acme: Cast, rahim: Any) -> None:
        # December is worth 1,000 more: 100 of it is tax and 50 is loan, so 850 is paid now
        run_id = calculated(acme)
        slip = payslip(
            acme,
            run_id,
            rahim,
            salary="15000.00",
            deductions="500.00",
            taxes="1200.00",
            one_offs=[arrears("1000.00", "50.00", "100.00")],
        )
        approve(acme, run_id)
        assert booked(acme, slip) == [
            "1 wage_cost to payable 14150.00",  # 15,000 + 850 - 500 - 1,200
            "2 wage_cost to taxes_withheld 1300.00",
            "3 wage_cost to deductions_withheld 550.00",
        ]
        assert books(acme)["wage_cost BDT"] == 16000  # January's 15,000 and December's 1,000 more

    def test_gives_back_what_a_net_line_of_before_withheld_too_much(self, acme: Cast, rahim: Any) -> None:
        # December is worth 3,000 less: 300 less tax, 40 less loan, so 2,660 is taken back of January's 1,000
        run_id = calculated(acme)
        slip = payslip(
            acme, run_id, rahim, salary="1000.00", taxes="100.00", one_offs=[arrears("-3000.00", "-40.00", "-300.00")]
        )
        job = approve(acme, run_id)
        assert booked(acme, slip) == [
            "2 taxes_withheld to wage_cost 200.00",
            "3 deductions_withheld to wage_cost 40.00",
            "5 pay_carried to wage_cost 1760.00",  # 1,000 - 2,660 - 100
        ]
        assert books(acme)["wage_cost BDT"] == -2000  # January's 1,000 less December's 3,000
        assert job["result"]["amounts"] == {"BDT": "0.00"}
        assert payable(acme, rahim) == 0

    def test_takes_back_what_an_earlier_payslip_had_left(self, acme: Cast, rahim: Any) -> None:
        first = calculated(acme, month="2025-12")
        left = payslip(acme, first, rahim, salary="100.00", deductions="350.00")
        approve(acme, first)
        assert booked(acme, left) == ["3 wage_cost to deductions_withheld 350.00", "5 pay_carried to wage_cost 250.00"]
        assert books(acme)["pay_carried BDT"] == 250
        second = calculated(acme)
        slip = payslip(acme, second, rahim, salary="1000.00", taxes="90.00", one_offs=[carried(left, "250.00")])
        approve(acme, second)
        assert booked(acme, slip) == [
            "1 wage_cost to payable 660.00",
            "2 wage_cost to taxes_withheld 90.00",
            "4 wage_cost to pay_carried 250.00",
        ]
        assert books(acme) == {
            "wage_cost BDT": D(1100),
            "payable BDT": D(-660),
            "taxes_withheld BDT": D(-90),
            "deductions_withheld BDT": D(-350),
        }

    def test_keeps_currencies_apart(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="1000.00")
        payslip(acme, run_id, employee(acme, name="Ana", employee_no="E-2"), salary="70.00", currency="USD")
        assert approve(acme, run_id)["result"] == {"payslips": 2, "amounts": {"BDT": "1000.00", "USD": "70.00"}}
        assert books(acme) == {
            "wage_cost BDT": D(1000),
            "payable BDT": D(-1000),
            "wage_cost USD": D(70),
            "payable USD": D(-70),
        }

    def test_books_a_run_without_payslips_at_once(self, acme: Cast) -> None:
        run_id = calculated(acme)
        assert approve(acme, run_id)["result"] == {"payslips": 0, "amounts": {}}
        assert run_of(acme, run_id).posted_at is not None


class TestChunks:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(posting, "CHUNK_PEOPLE", 2)

    def begun(self, acme: Cast, people: int = 5) -> tuple[Any, str]:
        run_id = calculated(acme)
        for n in range(people):
            payslip(acme, run_id, employee(acme, employee_no=f"E-{n}"), salary="10.00")
        said = acme.admin.ok("POST", f"/payroll-runs/{run_id}/approve", headers=once())
        assert (said["id"], said["status"]) == (str(run_id), "approved")
        return run_id, said["status_url"]

    def test_are_booked_one_by_one_and_then_the_run_is_posted(self, acme: Cast, running: Stack) -> None:
        run_id, status_url = self.begun(acme)
        first, second, third = taken(running, "payroll-posting")
        assert run_of(acme, run_id).posted_at is None
        assert deliver(first, third) == []
        assert (run_of(acme, run_id).posted_at, books(acme)["wage_cost BDT"]) == (None, 30)
        assert acme.admin.ok("GET", status_url)["progress"] == {"done": 3, "total": 5}
        assert deliver(second) == []
        assert run_of(acme, run_id).posted_at is not None
        job = acme.admin.ok("GET", status_url)
        assert (job["status"], job["result"]) == ("succeeded", {"payslips": 5, "amounts": {"BDT": "50.00"}})

    def test_that_come_twice_and_out_of_order_are_booked_once(self, acme: Cast, running: Stack) -> None:
        self.begun(acme)
        chunks = taken(running, "payroll-posting")
        assert deliver(*reversed(chunks), *chunks) == []
        assert books(acme) == {"wage_cost BDT": D(50), "payable BDT": D(-50)}

    def test_at_once_on_several_workers_are_booked_once(self, acme: Cast, running: Stack) -> None:
        run_id, _ = self.begun(acme, people=8)
        chunks = taken(running, "payroll-posting") * 2
        with ThreadPoolExecutor(8) as workers:
            assert list(workers.map(deliver, chunks)) == [[]] * 8
        assert books(acme) == {"wage_cost BDT": D(80), "payable BDT": D(-80)}
        assert run_of(acme, run_id).posted_at is not None

    @pytest.mark.parametrize("after", ["finish_chunk", "post"])
    def test_of_which_one_is_killed_are_booked_by_those_that_come_again(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch, after: str
    ) -> None:
        run_id, status_url = self.begun(acme)
        first, second, third = taken(running, "payroll-posting")
        assert deliver(first) == []
        where = posting if after == "post" else posting.progress
        with monkeypatch.context() as kill:
            done = getattr(where, after)

            def killed(*said: Any, **more: Any) -> None:
                done(*said, **more)
                raise KeyboardInterrupt

            kill.setattr(where, after, killed)
            with pytest.raises(KeyboardInterrupt):
                deliver(second)
        assert books(acme)["wage_cost BDT"] == 20
        assert deliver(third, second, first) == []
        assert books(acme) == {"wage_cost BDT": D(50), "payable BDT": D(-50)}
        assert acme.admin.ok("GET", status_url)["status"] == "succeeded"
        assert run_of(acme, run_id).posted_at is not None

    def test_that_fail_for_good_are_told_by_the_job_and_booked_when_replayed(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id, status_url = self.begun(acme)
        first, second, third = taken(running, "payroll-posting")
        with monkeypatch.context() as broken:
            broken.setattr("chalicelib.backing.queues.MAX_RECEIVES", 1)
            broken.setattr(posting, "post", lambda *said, **more: 1 / 0)
            assert deliver(first) == ["m0"]
        job = acme.admin.ok("GET", status_url)
        assert job["status"] == "failed"
        assert deliver(first, second, third) == []
        assert acme.admin.ok("GET", status_url)["status"] == "succeeded"
        assert books(acme) == {"wage_cost BDT": D(50), "payable BDT": D(-50)}
        assert run_of(acme, run_id).posted_at is not None

    def test_whose_job_was_made_anew_find_everything_booked(self, acme: Cast, running: Stack) -> None:
        run_id, _ = self.begun(acme)
        assert deliver(*taken(running, "payroll-posting")) == []
        with at_work(acme) as scope:
            assert posting.post(scope, run_id=run_id, chunk=JobChunk(0, UUID(int=0), UUID(int=2**128 - 1), 5)) == 0
        assert books(acme) == {"wage_cost BDT": D(50), "payable BDT": D(-50)}

    def test_touch_nothing_of_another_tenants_run(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        self.begun(acme)
        [first, *_] = taken(running, "payroll-posting")
        assert deliver({**first, "tenant_id": str(zenith.id)}) == []
        assert books(acme) == books(zenith) == {}
