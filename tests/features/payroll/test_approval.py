"""Approving a run: by somebody else, once, only while it says what is true, and everything it pays is taken once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from chalicelib.features.periods import periods
from chalicelib.features.periods.locks import share_lock_periods
from chalicelib.features.periods.models import pay_periods
from chalicelib.identity.permissions import Role
from tests.features.payroll.runs import (
    MONTH,
    adjustment,
    approve,
    arrears,
    booked,
    calculated,
    carried,
    components,
    payslip,
    period_of,
    run_of,
)
from tests.ledger.books import at_work
from tests.support.api import Reply
from tests.support.cast import Cast, key
from tests.support.payouts import books, once
from tests.support.people import employee, lock_period, row, sql
from tests.support.stack import at
from tests.support.waiting import until_lock_wait

pytestmark = pytest.mark.usefixtures("running")  # payslips are made into files by messages


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> Any:
    return employee(acme)


def asked(cast: Cast, run_id: object) -> Reply:
    """Try to approve a run."""
    return cast.admin.post(f"/payroll-runs/{run_id}/approve", headers=once())


def refused(cast: Cast, run_id: object, said: str, status: int = 409) -> None:
    """Expect a run to stay as it is, for a reason."""
    before = run_of(cast, run_id)  # type: ignore[arg-type]
    reply = asked(cast, run_id)
    assert reply.status == status, reply.text
    assert said in reply.json["detail"]
    assert run_of(cast, run_id) == before  # type: ignore[arg-type]
    assert books(cast) == {}


class TestApprove:
    def test_fixes_the_run_and_locks_its_period(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        slip = payslip(acme, run_id, rahim, salary="1000.00")
        reply = asked(acme, run_id)
        assert reply.status == 202
        assert (reply.json["id"], reply.json["status"]) == (str(run_id), "approved")
        assert reply.json["status_url"] == f"/jobs/{reply.json['job_id']}"
        run, period = run_of(acme, run_id), period_of(acme)
        assert (run.status, run.approved_by, str(run.job_id)) == ("approved", "tenant_admin key", reply.json["job_id"])
        assert (period.status, period.payroll_run_id, period.locked_at is None) == ("locked", run_id, False)
        assert booked(acme, slip) == ["1 wage_cost to payable 1000.00"]

    def test_needs_a_key_that_tells_repetitions(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        slip = payslip(acme, run_id, rahim, salary="1000.00")
        assert acme.admin.post(f"/payroll-runs/{run_id}/approve").status == 422
        headers = once()
        first = acme.admin.ok("POST", f"/payroll-runs/{run_id}/approve", headers=headers)
        assert acme.admin.ok("POST", f"/payroll-runs/{run_id}/approve", headers=headers) == first
        assert booked(acme, slip) == ["1 wage_cost to payable 1000.00"]

    def test_happens_once(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="1000.00")
        approve(acme, run_id)
        reply = asked(acme, run_id)
        assert (reply.status, reply.json["detail"]) == (
            409,
            "This payroll run is approved; from there it can become partly_paid, not approved.",
        )

    @pytest.mark.parametrize("is_same", [True, False])
    def test_is_not_for_who_calculated_it(self, acme: Cast, rahim: Any, is_same: bool) -> None:
        [mine] = sql(acme, "select id from api_keys where role = 'tenant_admin'")
        said = {"calculated_by_ids": [mine.id]} if is_same else {"calculated_by_user_id": rahim}
        run_id = calculated(acme, **said)
        payslip(acme, run_id, rahim, salary="1000.00")
        if not is_same:  # another key of the same person
            acme = Cast(acme.id, acme.slug, key(acme.id, Role.TENANT_ADMIN, rahim), acme.hr)
        refused(acme, run_id, "You calculated this payroll run; somebody else has to approve it.", status=403)

    def test_is_nobodys_of_another_tenant(self, acme: Cast, zenith: Cast) -> None:
        run_id = calculated(acme)
        assert asked(zenith, run_id).status == asked(zenith, uuid4()).status == 404
        assert asked(zenith, run_id).json["detail"] == asked(zenith, uuid4()).json["detail"]
        assert run_of(acme, run_id).status == "calculated"

    def test_takes_an_off_cycle_run_without_locking_its_period(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme, kind="off_cycle")
        payslip(acme, run_id, rahim, one_offs=[adjustment(acme, rahim)])
        with at("2026-01-20T12:00:00+06:00"):  # the month is not over, and it cannot wait
            approve(acme, run_id)
        assert (period_of(acme).status, period_of(acme).payroll_run_id) == ("open", None)

    def test_keeps_a_period_locked_that_a_person_had_locked(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="1000.00")
        acme.admin.ok("POST", f"/pay-register/{MONTH}/lock", {})
        before = period_of(acme)
        approve(acme, run_id)
        assert (period_of(acme).locked_at, period_of(acme).payroll_run_id) == (before.locked_at, run_id)

    def test_of_the_same_run_by_two_at_once_is_one(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        slip = payslip(acme, run_id, rahim, salary="1000.00")
        with ThreadPoolExecutor(4) as workers:
            replies = list(workers.map(lambda _: asked(acme, run_id).status, range(4)))
        assert sorted(replies) == [202, 409, 409, 409]
        assert booked(acme, slip) == ["1 wage_cost to payable 1000.00"]

    def test_of_two_runs_that_pay_the_same_at_once_is_one(self, acme: Cast, rahim: Any) -> None:
        bonus = adjustment(acme, rahim, "500.00")
        runs = [calculated(acme, kind=kind) for kind in ("regular", "off_cycle")]
        for run_id in runs:
            payslip(acme, run_id, rahim, one_offs=[bonus])
        with ThreadPoolExecutor(2) as workers:
            replies = list(workers.map(lambda run_id: asked(acme, run_id), runs))
        assert sorted(reply.status for reply in replies) == [202, 409]
        assert "was approved after this one was calculated" in max(replies, key=lambda one: one.status).json["detail"]
        assert books(acme)["wage_cost BDT"] == 500


class TestRefuse:
    def test_a_draft(self, acme: Cast) -> None:
        run_id = row(
            acme, "payroll_runs", {"month": MONTH, "kind": "regular", "created_by": "x", "created_at": "2026-02-01"}
        )
        refused(acme, run_id, "This payroll run was never calculated. Calculate it")

    def test_one_that_is_being_calculated_again(self, acme: Cast) -> None:
        job_id = row(acme, "jobs", {"kind": "payroll-calculation", "parameters": "{}", "status": "running"})
        run_id = calculated(acme, status="draft", job_id=job_id)
        refused(acme, run_id, f"This payroll run is being calculated: look at its payslips when /jobs/{job_id} says")

    def test_one_that_was_cancelled(self, acme: Cast) -> None:
        run_id = calculated(acme, status="cancelled", cancelled_at="2026-02-01")
        refused(acme, run_id, "This payroll run is cancelled; from there it can become nothing")

    def test_a_month_that_is_not_over_in_the_tenants_zone(self, acme: Cast) -> None:
        run_id = calculated(acme)
        with at("2026-01-31T23:59:00+06:00"):
            refused(acme, run_id, "ends on 2026-01-31 and is not over in Asia/Dhaka; calculate and approve its payroll")
        with at("2026-02-01T00:01:00+06:00"):
            approve(acme, run_id)

    def test_one_calculated_before_its_month_was_over(self, acme: Cast) -> None:
        run_id = calculated(acme, month=MONTH)
        sql(acme, "update payroll_runs set calculated_at = '2026-01-31T23:59+06:00' where id = :id", id=run_id)
        refused(acme, run_id, "It was calculated before its period 2026-01 ended on 2026-01-31. Calculate it again")

    @pytest.mark.parametrize("changed", [
        "changed_at = clock_timestamp()",  # and the register was not computed since
        "changed_at = clock_timestamp(), computed_at = clock_timestamp()",  # it was, but not the run
        "computed_at = changed_at - interval '1 hour'",  # by a writer whom the calculation did not wait for
        "computed_as_of = '2026-01-30'",
        "status = 'locked', changed_at = clock_timestamp()",  # changed, and then locked by hand
    ])  # fmt: skip
    def test_one_whose_facts_changed_since(self, acme: Cast, changed: str) -> None:
        run_id = calculated(acme)
        sql(acme, f"update pay_periods set {changed}")
        refused(acme, run_id, "Facts of 2026-01 changed after this payroll run was calculated. Calculate it again")

    def test_one_whose_facts_are_being_changed_right_now(self, acme: Cast, rahim: Any) -> None:
        run_id = calculated(acme)
        january = run_of(acme, run_id).calculated_at.date().replace(year=2026, month=1, day=5)
        with ThreadPoolExecutor(1) as other:
            with at_work(acme) as scope:
                periods.touch(scope, changes=[(rahim, january)], what="attendance")
                waiting = other.submit(asked, acme, run_id)
                until_lock_wait(acme)
            reply = waiting.result(timeout=20)
        assert (reply.status, run_of(acme, run_id).status) == (409, "calculated")
        assert reply.json["detail"].startswith("Facts of 2026-01 changed")

    def test_one_that_another_was_approved_after(self, acme: Cast, rahim: Any) -> None:
        run_id, first = calculated(acme), calculated(acme, kind="off_cycle")
        approve(acme, first)
        refused(acme, run_id, "Another payroll run (off-cycle, 2026-01) was approved after this one was calculated")

    def test_nothing_for_a_run_approved_before(self, acme: Cast) -> None:
        approve(acme, calculated(acme, month="2025-12"))
        approve(acme, calculated(acme))

    def test_one_whose_components_changed_since(self, acme: Cast) -> None:
        components(acme)
        run_id = calculated(acme)
        sql(
            acme,
            "insert into payment_type_versions (tenant_id, type_id, number, effective_from, amount, currency,"
            " created_by, created_at) select tenant_id, id, 2, '2026-01-15', 100, 'BDT', 'hr', now()"
            " from payment_types where code = 'tax'",
        )
        refused(acme, run_id, "Payment types changed after this payroll run was calculated: tax. Calculate it again")

    def test_nothing_for_a_component_that_changes_later(self, acme: Cast) -> None:
        components(acme)
        run_id = calculated(acme)
        sql(
            acme,
            "insert into payment_type_versions (tenant_id, type_id, number, effective_from, amount, currency,"
            " created_by, created_at) select tenant_id, id, 2, '2026-02-01', 100, 'BDT', 'hr', now()"
            " from payment_types where code = 'tax'",
        )
        approve(acme, run_id)

    def test_one_of_somebody_for_whom_a_component_is_not_any_more(self, acme: Cast, rahim: Any) -> None:
        components(acme)
        karim = employee(acme, employee_no="E-2")
        acme.admin.ok("POST", f"/pay-register/{MONTH}/sync", {})
        run_id = calculated(acme)
        for user_id in (rahim, karim):
            payslip(acme, run_id, user_id)
        assigned = (
            "insert into payment_type_assignments (tenant_id, user_id, type_id, effective_from, applies,"
            " changed_by, changed_at) select tenant_id, :user_id, id, :day, false, 'hr', clock_timestamp()"
            " from payment_types where code = 'loan'"
        )
        sql(acme, assigned, user_id=karim, day="2026-02-01")  # which is after the month
        sql(acme, assigned, user_id=employee(acme, employee_no="E-3"), day="2026-01-01")  # who is not in the run
        sql(acme, assigned, user_id=rahim, day="2026-01-01")
        refused(acme, run_id, "What payment types are for 1 person of this payroll run changed")

    def test_one_for_which_an_amount_was_given_since(self, acme: Cast, rahim: Any) -> None:
        components(acme)
        run_id = calculated(acme)
        [(type_id, now)] = sql(acme, "select id, clock_timestamp() from payment_types where code = 'tax'")
        row(
            acme,
            "payroll_amounts",
            {"run_id": run_id, "user_id": rahim, "type_id": type_id, "amount": 5, "given_by": "hr", "given_at": now},
            returning="amount",
        )
        refused(acme, run_id, "What payment types are for 1 person of this payroll run changed")

    @pytest.mark.parametrize(("amount", "is_fresh"), [("5.00", True), ("5.01", False)])
    def test_nothing_for_an_amount_that_the_payslip_has(
        self, acme: Cast, rahim: Any, amount: str, is_fresh: bool
    ) -> None:
        # somebody gave it after everybody was calculated, and had this one person calculated again
        components(acme)
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="100.00", taxes="5.00", deductions=None, given={"tax": {"amount": "5.00"}})
        [(type_id, now)] = sql(acme, "select id, clock_timestamp() from payment_types where code = 'tax'")
        row(
            acme,
            "payroll_amounts",
            {
                "run_id": run_id,
                "user_id": rahim,
                "type_id": type_id,
                "amount": amount,
                "given_by": "hr",
                "given_at": now,
            },
            returning="amount",
        )
        if is_fresh:
            approve(acme, run_id)
        else:
            refused(acme, run_id, "What payment types are for 1 person of this payroll run changed")


class TestTake:
    def test_pays_adjustments_once(self, acme: Cast, rahim: Any) -> None:
        line = adjustment(acme, rahim)
        run_id = calculated(acme)
        slip = payslip(acme, run_id, rahim, one_offs=[line])
        approve(acme, run_id)
        [one] = acme.admin.ok("GET", "/payroll-adjustments?open=false")["items"]
        assert (one["payslip_id"], one["paid_at"] is None) == (str(slip), False)

    def test_refuses_an_adjustment_that_was_paid_already(self, acme: Cast, rahim: Any) -> None:
        lines = [adjustment(acme, rahim), adjustment(acme, rahim)]
        first = calculated(acme, kind="off_cycle")
        payslip(acme, first, rahim, one_offs=lines[:1])
        approve(acme, first)
        before = books(acme)
        # as if it had been calculated since and had not seen it
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, one_offs=lines)
        reply = asked(acme, run_id)
        assert (reply.status, books(acme)) == (409, before)
        assert reply.json["detail"].startswith("Another payroll run paid 1 of its adjustments meanwhile.")
        assert [one["paid_at"] is None for one in acme.admin.ok("GET", "/payroll-adjustments")["items"]] == [
            False,
            True,
        ]

    def test_takes_what_is_carried_once(self, acme: Cast, rahim: Any) -> None:
        components(acme)
        first = calculated(acme, month="2025-12")
        left = payslip(acme, first, rahim, deductions="250.00")
        approve(acme, first)
        runs = [calculated(acme), calculated(acme, kind="off_cycle")]
        slips = [
            payslip(acme, run_id, rahim, salary="900.00" if n == 0 else "0.00", one_offs=[carried(left, "250.00")])
            for n, run_id in enumerate(runs)
        ]
        approve(acme, runs[0])
        assert sql(acme, "select carried_into from payslips where id = :id", id=left) == [(slips[0],)]
        sql(acme, "update payroll_runs set calculated_since = clock_timestamp() where status = 'calculated'")
        sql(acme, "update payroll_runs set approved_at = approved_at - interval '1 hour' where status = 'approved'")
        reply = asked(acme, runs[1])
        assert reply.status == 409
        assert reply.json["detail"].startswith("Another payroll run deducted 1 of the amounts that it carries over.")
        assert books(acme)["payable BDT"] == -650


class TestSettle:
    """December was paid by a regular run; then its facts changed."""

    @pytest.fixture(autouse=True)
    def _december(self, acme: Cast, rahim: Any) -> None:
        first = calculated(acme, month="2025-12")
        payslip(acme, first, rahim, salary="1000.00")
        approve(acme, first)

    def noted(self, acme: Cast, user_id: Any, month: str = "2025-12", day: str = "2025-12-05") -> Any:
        return row(
            acme,
            "late_corrections",
            {
                "month": month,
                "user_id": user_id,
                "day": day,
                "what": "attendance",
                "noted_at": sql(acme, "select clock_timestamp()")[0][0],
            },
        )

    def settled(self, acme: Cast) -> list[Any]:
        return [one.id for one in sql(acme, "select id from late_corrections where settled_at >= noted_at")]

    def test_marks_what_the_run_pays(self, acme: Cast, rahim: Any) -> None:
        mine, everybodys = self.noted(acme, rahim), self.noted(acme, None)
        run_id = calculated(acme)
        payslip(acme, run_id, rahim, salary="1000.00", one_offs=[arrears("40.00")])
        later = self.noted(acme, rahim, day="2025-12-06")
        approve(acme, run_id)
        assert sorted(self.settled(acme)) == sorted([mine, everybodys])
        moments = {one.id: one.settled_at for one in sql(acme, "select id, settled_at from late_corrections")}
        since = run_of(acme, run_id).calculated_since
        assert moments == {mine: since, everybodys: since, later: None}

    def test_leaves_what_was_noted_again_since(self, acme: Cast, rahim: Any) -> None:
        correction = self.noted(acme, rahim)
        run_id = calculated(acme)
        sql(acme, "update late_corrections set noted_at = clock_timestamp() where id = :id", id=correction)
        approve(acme, run_id)
        assert self.settled(acme) == []

    def test_leaves_what_concerns_others_than_the_run_is_for(self, acme: Cast, rahim: Any) -> None:
        karim = employee(acme, employee_no="E-2")
        mine = self.noted(acme, rahim)
        self.noted(acme, karim)
        self.noted(acme, None)
        approve(acme, calculated(acme, kind="off_cycle", user_ids=[rahim]))
        assert self.settled(acme) == [mine]

    def test_leaves_its_own_months_corrections_to_the_next(self, acme: Cast, rahim: Any) -> None:
        # January was locked by hand and corrected late: its run pays what the register says, not the difference
        lock_period(
            acme, MONTH, *(period_of(acme, "2025-12").start_on.replace(year=2026, month=1, day=day) for day in (1, 31))
        )
        own = self.noted(acme, rahim, month=MONTH, day="2026-01-05")
        approve(acme, calculated(acme))
        assert self.settled(acme) == []
        approve(acme, calculated(acme, month="2026-02"))
        assert self.settled(acme) == [own]


class TestUnlock:
    def test_is_refused_once_payroll_was_approved(self, acme: Cast) -> None:
        approve(acme, calculated(acme))
        reply = acme.admin.post(f"/pay-register/{MONTH}/unlock", {"reason": "forgot a day"})
        assert reply.status == 409
        assert reply.json["detail"] == (
            "Payroll of 2026-01 was approved, so its period stays locked: change what is wrong all the same, and the"
            " next payroll run pays the difference."
        )
        assert period_of(acme).status == "locked"

    def test_that_comes_while_payroll_is_approved_is_refused(self, acme: Cast) -> None:
        run_id = calculated(acme)
        acme.admin.ok("POST", f"/pay-register/{MONTH}/lock", {})
        with ThreadPoolExecutor(1) as other:
            with at_work(acme) as scope:
                share_lock_periods(scope, [MONTH])
                scope.session.execute(
                    update(pay_periods).where(pay_periods.c.tenant_id == acme.id).values(payroll_run_id=run_id)
                )
                waiting = other.submit(acme.admin.post, f"/pay-register/{MONTH}/unlock", {"reason": "x"})
                until_lock_wait(acme)
            assert waiting.result(timeout=20).status == 409
        assert period_of(acme).status == "locked"
