"""Paying an approved run: its payslips go out by payouts, once, and each line says what it is about."""

from typing import Any

import pytest

from chalicelib.features.payroll.approval import posting
from tests.features.payroll.runs import adjustment, approve, calculated, components, deliver, payslip, period_of, run_of
from tests.support.api import Reply
from tests.support.cast import Cast
from tests.support.payouts import books, earned, listed, once, only, payable, policy, taken
from tests.support.people import employee, sql
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("running")  # payslips are made into files by messages


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> Any:
    components(acme)
    return employee(acme)


def asked(cast: Cast, run_id: object) -> Reply:
    """Try to pay a run."""
    return cast.admin.post(f"/payroll-runs/{run_id}/pay", headers=once())


class TestPay:
    def test_pays_the_payslip_and_leaves_what_is_owed_otherwise(self, acme: Cast, rahim: Any, running: Stack) -> None:
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="1000.00", taxes="80.00")
        approve(acme, run_id)
        earned(acme, str(rahim), "40.00")  # a sale, which a run of payouts pays
        reply = asked(acme, run_id)
        assert (reply.status, reply.json["id"], reply.json["status"]) == (202, str(run_id), "partly_paid")
        running.drain()
        job = acme.admin.ok("GET", reply.json["status_url"])
        assert (job["kind"], job["status"], job["result"]["amounts"]) == (
            "payroll-payouts",
            "succeeded",
            {"BDT": "920.00"},
        )
        assert listed(acme) == [("920.00", "paid")]
        run = run_of(acme, run_id)
        assert (run.status, run.paid_by, run.paid_at is None) == ("paid", "tenant_admin key", False)
        assert (period_of(acme).status, period_of(acme).payroll_run_id) == ("paid", run_id)
        assert (books(acme)["cash BDT"], payable(acme, rahim)) == (-920, 40)
        assert len(sql(acme, "select from audit_logs where action = 'payroll_run.paid'")) == 1

    def test_pays_nothing_for_a_net_below_0(self, acme: Cast, rahim: Any, running: Stack) -> None:
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="100.00", one_offs=[adjustment(acme, rahim, "-250.00")])
        approve(acme, run_id)
        assert asked(acme, run_id).status == 202
        running.drain()
        assert (listed(acme), payable(acme, rahim), run_of(acme, run_id).status) == ([], 0, "paid")

    def test_leaves_the_period_of_an_off_cycle_run(self, acme: Cast, rahim: Any, running: Stack) -> None:
        run_id = calculated(acme, kind="off_cycle")
        payslip(acme, run_id, rahim, one_offs=[adjustment(acme, rahim)])
        approve(acme, run_id)
        assert asked(acme, run_id).status == 202
        running.drain()
        assert (run_of(acme, run_id).status, period_of(acme).status) == ("paid", "open")

    def test_happens_once(self, acme: Cast, rahim: Any, running: Stack) -> None:
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="1000.00")
        approve(acme, run_id)
        headers = once()
        assert acme.admin.post(f"/payroll-runs/{run_id}/pay").status == 422
        first = acme.admin.ok("POST", f"/payroll-runs/{run_id}/pay", headers=headers)
        assert acme.admin.ok("POST", f"/payroll-runs/{run_id}/pay", headers=headers) == first
        assert asked(acme, run_id).json["status"] == "partly_paid"  # there is no rest to pay
        running.drain()
        assert listed(acme) == [("1000.00", "paid")]
        third = asked(acme, run_id)
        assert (third.status, third.json["detail"]) == (409, "This payroll run is paid, each of its payslips.")

    def test_waits_until_all_of_it_is_booked(
        self, acme: Cast, rahim: Any, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(posting, "CHUNK_PEOPLE", 1)
        run_id = calculated(acme)
        for user_id in (rahim, employee(acme, employee_no="E-2")):
            payslip(acme, run_id, user_id, salary="1000.00")
        approve(acme, run_id)
        first, second = taken(running, "payroll-posting")
        assert deliver(first) == []
        reply = asked(acme, run_id)
        assert reply.status == 409
        assert reply.json["detail"].startswith("This payroll run is still being booked; pay it when /jobs/")
        assert (run_of(acme, run_id).status, listed(acme)) == ("approved", [])
        assert deliver(second) == []
        assert asked(acme, run_id).status == 202
        running.drain()
        assert listed(acme) == [("1000.00", "paid")] * 2

    @pytest.mark.parametrize("status", ["draft", "calculated"])
    def test_is_refused_before_approval(self, acme: Cast, status: str) -> None:
        run_id = calculated(acme, status=status)
        reply = asked(acme, run_id)
        assert (reply.status, reply.json["detail"]) == (
            409,
            f"This payroll run is {status}; it has to be approved before it is paid.",
        )

    def test_is_refused_while_payouts_are_switched_off(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="1000.00")
        approve(acme, run_id)
        policy(acme, payouts_enabled=False)
        reply = asked(acme, run_id)
        assert (reply.status, "switched off" in reply.json["detail"]) == (409, True)
        assert (run_of(acme, run_id).status, period_of(acme).status) == ("approved", "locked")

    def test_is_nobodys_of_another_tenant(self, acme: Cast, zenith: Cast) -> None:
        run_id = calculated(acme)
        approve(acme, run_id)
        assert asked(zenith, run_id).status == 404
        assert run_of(acme, run_id).status == "approved"


class TestPerson:
    def test_reads_on_what_their_pay_is_made_of(self, acme: Cast, rahim: Any, running: Stack) -> None:
        run_id = calculated(acme)
        slip = payslip(acme, run_id, rahim, salary="1000.00", taxes="80.00")
        approve(acme, run_id)
        assert acme.hr.ok("GET", f"/users/{rahim}/balance")["payable"] == "920.00"
        assert asked(acme, run_id).status == 202
        running.drain()
        payout = only(acme, str(rahim))
        assert [(line["event"], line["subject_id"], line["amount"]) for line in payout["lines"]] == [
            ("payroll", str(slip), "920.00")
        ]
        [own] = acme.hr.ok("GET", f"/users/{rahim}/statement")["currencies"]
        assert [
            (line["event"], line["concerns"]["kind"], line["concerns"]["id"], line["amount"]) for line in own["lines"]
        ] == [("payroll", "payslip", str(slip), "920.00"), ("payout", "payout", payout["id"], "-920.00")]
        told = acme.hr.ok("GET", f"/users/{rahim}/balance")
        assert (told["payable"], told["paid_total"]) == ("0.00", "920.00")
