"""Paying a run: its payslips and nothing else, partly paid until the last confirmation, and who is not paid and why."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.features.payouts.runs import actions as payouts
from tests.features.payroll.runs import approve, calculated, components, payslip, period_of, run_of
from tests.support.api import Reply
from tests.support.cast import Cast, key
from tests.support.payouts import decide, earned, listed, once, payable, policy, run, sale, start, whole
from tests.support.people import employee, sql
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("running")
SIMULATED = {"kind": "simulated", "behaviour": "accept"}
IBAN = {"kind": "iban", "holder": "Rahim Uddin", "iban": "DE89370400440532013000"}
D = Decimal


@pytest.fixture(name="people")
def _people(acme: Cast) -> list[Any]:
    components(acme)
    return [employee(acme, name=name, employee_no=f"E-{n}") for n, name in enumerate(("Rahim", "Karim", "Mina"), 1)]


def paid_by(cast: Cast, run_id: Any) -> Reply:
    """Ask for a run to be paid."""
    return cast.admin.post(f"/payroll-runs/{run_id}/pay", headers=once())


def approved(cast: Cast, nets: dict[Any, str], **more: Any) -> Any:
    """Make an approved run whose payslips come to these nets."""
    run_id = calculated(cast, **more)
    for user_id, net in nets.items():
        payslip(cast, run_id, user_id, salary=net)
    approve(cast, run_id)
    return run_id


def said(cast: Cast, run_id: Any) -> dict[str, tuple[str, str | None]]:
    """Read who is paid and who is not, with the reason, by name."""
    items = cast.admin.ok("GET", f"/payroll-runs/{run_id}/payments")["items"]
    return {one["user"]["name"]: (one["status"], one["because"]) for one in items}


def states(cast: Cast, run_id: Any) -> tuple[str, str]:
    """Read the state of a run and of its period."""
    return cast.admin.ok("GET", f"/payroll-runs/{run_id}")["status"], period_of(cast).status


def destination(cast: Cast, user_id: Any, **to: str) -> None:
    """Say where a person's payouts go."""
    cast.admin.ok("PUT", f"/users/{user_id}/payout-destination", to)


def conserved(cast: Cast, booked: str) -> None:
    """Check that what was paid, is on its way and is still owed is what was booked."""
    [(sent,)] = sql(
        cast, "select coalesce(sum(amount), 0) from payouts where status not in ('failed', 'cancelled', 'returned')"
    )
    [(owed,)] = sql(cast, "select coalesce(sum(-balance), 0) from ledger_accounts where kind = 'payable'")
    assert sent + owed == D(booked)


class TestPay:
    def test_pays_this_runs_payslips_and_nothing_else(self, acme: Cast, people: list[Any], running: Stack) -> None:
        rahim, karim, mina = people
        january = approved(acme, {rahim: "1000.00", karim: "2000.00"})
        bonus = approved(acme, {karim: "300.00"}, kind="off_cycle")
        earned(acme, str(mina), "55.00")
        assert paid_by(acme, bonus).json["status"] == "partly_paid"
        running.drain()
        assert listed(acme) == [("300.00", "paid")]
        assert (run_of(acme, bonus).status, run_of(acme, january).status) == ("paid", "approved")
        assert [payable(acme, one) for one in people] == [1000, 2000, 55]
        conserved(acme, "3355.00")
        assert paid_by(acme, january).status == 202
        running.drain()
        assert sorted(listed(acme)) == [("1000.00", "paid"), ("2000.00", "paid"), ("300.00", "paid")]
        assert (states(acme, january), payable(acme, mina)) == (("paid", "paid"), 55)

    def test_is_paid_with_the_last_confirmation(self, acme: Cast, people: list[Any], running: Stack) -> None:
        rahim, karim, _ = people
        destination(acme, karim, kind="manual", method="cash")
        run_id = approved(acme, {rahim: "1000.00", karim: "2000.00"})
        reply = paid_by(acme, run_id).json
        assert (reply["status"], reply["payment"]["in_flight"]) == ("partly_paid", 2)
        running.drain()
        assert states(acme, run_id) == ("partly_paid", "locked")
        payment = acme.admin.ok("GET", f"/payroll-runs/{run_id}")["payment"]
        assert (payment["paid"], payment["in_flight"], payment["not_paid"]) == (1, 1, 0)
        [one] = payment["unpaid"]
        assert (one["user"]["name"], one["because"], one["net"]) == ("Karim", "waits_for_confirmation", "2000.00")
        [payout] = acme.admin.ok("GET", "/payouts?provider=manual&status=queued")["items"]
        assert (payout["amount"], payout["payroll_run_id"]) == ("2000.00", str(run_id))
        acme.admin.ok("POST", f"/payouts/{payout['id']}/confirm", {"reference": "receipt 17"})
        running.drain()
        assert states(acme, run_id) == ("paid", "paid")
        assert said(acme, run_id) == {"Rahim": ("paid", None), "Karim": ("paid", None)}

    def test_names_who_has_no_bank_account_and_pays_them_later(
        self, acme: Cast, people: list[Any], running: Stack
    ) -> None:
        rahim, karim, _ = people
        policy(acme, payout_provider="bank_file")
        destination(acme, rahim, **IBAN)
        run_id = approved(acme, {rahim: "1000.00", karim: "2000.00"})
        reply = paid_by(acme, run_id).json
        assert (reply["status"], reply["payment"]["not_paid"]) == ("partly_paid", 1)
        assert [
            (one["user"]["name"], one["user"]["employee_no"], one["because"]) for one in reply["payment"]["unpaid"]
        ] == [("Karim", "E-2", "no_bank_account"), ("Rahim", "E-1", "waits_for_bank_file")]
        assert states(acme, run_id) == ("partly_paid", "locked")
        destination(acme, karim, kind="manual", method="cheque")
        assert paid_by(acme, run_id).json["payment"]["not_paid"] == 0
        assert sorted(sql(acme, "select amount, provider from payouts")) == [(1000, "bank_file"), (2000, "manual")]
        conserved(acme, "3000.00")

    def test_pays_by_hand_whoever_has_no_account_where_the_policy_says_so(self, acme: Cast, people: list[Any]) -> None:
        policy(acme, payout_provider="bank_file", manual_without_bank_account=True)
        approved_run = approved(acme, {people[0]: "1000.00"})
        assert paid_by(acme, approved_run).json["payment"]["in_flight"] == 1
        assert said(acme, approved_run) == {"Rahim": ("in_flight", "waits_for_confirmation")}

    def test_waits_in_payable_until_then_and_runs_of_payouts_leave_it_out(
        self, acme: Cast, people: list[Any], running: Stack
    ) -> None:
        rahim, _, _ = people
        run_id = approved(acme, {rahim: "1000.00"})
        assert run(acme, running, "final") == {"payouts": 0, "held": 0, "amounts": {}}
        made = earned(acme, str(rahim), "40.00")
        assert run(acme, running, "final")["amounts"] == {"BDT": "40.00"}
        assert payable(acme, rahim) == 1000
        [payout] = acme.admin.ok("GET", "/payouts")["items"]
        assert [(one["subject_id"], one["amount"]) for one in whole(acme, payout["id"])["lines"]] == [(made, "40.00")]
        assert paid_by(acme, run_id).status == 202
        running.drain()
        assert payable(acme, rahim) == 0
        earned(acme, str(rahim), "7.00")
        assert run(acme, running, "final")["amounts"] == {"BDT": "7.00"}
        assert [
            sum(D(line["amount"]) for line in whole(acme, one["id"])["lines"])
            for one in acme.admin.ok("GET", "/payouts")["items"]
        ] == [40, 1000, 7]

    def test_nets_what_the_person_owes(self, acme: Cast, people: list[Any], running: Stack) -> None:
        rahim, karim, _ = people
        advances = {one: sale(acme, str(one), "5000.00") for one in (rahim, karim)}
        run(acme, running, "advance")  # 500.00 each
        decide(acme, "declined", *advances.values())  # which they owe now
        run_id = approved(acme, {rahim: "1000.00", karim: "300.00"})
        paid_by(acme, run_id)
        running.drain()
        assert [payable(acme, one) for one in (rahim, karim)] == [0, -200]
        assert said(acme, run_id) == {
            "Rahim": ("paid", "payable_already_used"),
            "Karim": ("paid", "payable_already_used"),
        }
        assert states(acme, run_id) == ("paid", "paid")
        [payout] = [one for one in acme.admin.ok("GET", "/payouts")["items"] if one["kind"] == "payroll"]
        assert [(line["event"], line["amount"]) for line in whole(acme, payout["id"])["lines"]] == [
            ("payroll", "1000.00"),
            ("netted", "-500.00"),
        ]
        earned(acme, str(karim), "250.00")
        assert run(acme, running, "final")["amounts"] == {"BDT": "50.00"}
        last = acme.admin.ok("GET", f"/payouts?user_id={karim}")["items"][-1]
        assert sorted((line["event"], line["amount"]) for line in whole(acme, last["id"])["lines"]) == [
            ("approve", "250.00"),
            ("decline", "-500.00"),
            ("netted", "300.00"),
        ]

    @pytest.mark.parametrize("behaviour", ["refuse", "late_return"])
    def test_goes_back_to_partly_paid_where_money_did_not_arrive(
        self, acme: Cast, people: list[Any], running: Stack, behaviour: str
    ) -> None:
        rahim, karim, _ = people
        destination(acme, karim, kind="simulated", behaviour="refuse" if behaviour == "refuse" else "accept")
        run_id = approved(acme, {rahim: "1000.00", karim: "2000.00"})
        paid_by(acme, run_id)
        running.drain()
        if behaviour == "late_return":
            assert states(acme, run_id) == ("paid", "paid")
            [payout] = acme.admin.ok("GET", f"/payouts?user_id={karim}")["items"]
            acme.admin.ok("POST", f"/payouts/{payout['id']}/return", {"reason": "account closed"})
            running.drain()
        assert states(acme, run_id) == ("partly_paid", "locked")
        because = "refused" if behaviour == "refuse" else "returned"
        assert said(acme, run_id) == {"Rahim": ("paid", None), "Karim": ("not_paid", because)}
        assert run(acme, running, "final")["payouts"] == 0  # it waits for the run's pay
        destination(acme, karim, **SIMULATED)
        if behaviour == "refuse":
            assert paid_by(acme, run_id).status == 202
        else:
            [payout] = acme.admin.ok("GET", f"/payouts?user_id={karim}")["items"]
            assert acme.admin.ok("POST", f"/payouts/{payout['id']}/retry")["amount"] == "2000.00"
        running.drain()
        assert states(acme, run_id) == ("paid", "paid")
        conserved(acme, "3000.00")
        for one in acme.admin.ok("GET", "/payouts")["items"]:
            assert sum(D(line["amount"]) for line in whole(acme, one["id"])["lines"]) == D(one["amount"])

    def test_once_where_it_is_asked_twice_at_once(self, acme: Cast, people: list[Any], running: Stack) -> None:
        run_id = approved(acme, dict.fromkeys(people, "1000.00"))
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: paid_by(acme, run_id), range(4)))
        assert [one.status for one in replies] == [202] * 4
        running.drain()
        assert listed(acme) == [("1000.00", "paid")] * 3
        assert states(acme, run_id) == ("paid", "paid")

    def test_goes_on_chunk_by_chunk_and_a_chunk_twice_is_once(
        self, acme: Cast, people: list[Any], running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(payouts, "CHUNK_PEOPLE", 1)
        run_id = approved(acme, dict.fromkeys(people, "1000.00"))
        first = paid_by(acme, run_id)
        assert (first.json["payment"]["not_paid"], paid_by(acme, run_id).status) == (3, 202)
        running.drain()
        assert listed(acme) == [("1000.00", "paid")] * 3
        assert acme.admin.ok("GET", first.json["status_url"])["status"] == "succeeded"
        assert states(acme, run_id) == ("paid", "paid")

    def test_does_not_hold_what_an_approved_run_pays_by_the_payout_limit(
        self, acme: Cast, people: list[Any], running: Stack
    ) -> None:
        policy(acme, payout_approval_above="100.00")
        run_id = approved(acme, {people[0]: "1000.00"})
        paid_by(acme, run_id)
        running.drain()
        assert (listed(acme), states(acme, run_id)) == ([("1000.00", "paid")], ("paid", "paid"))

    def test_refuses_a_body(self, acme: Cast, people: list[Any]) -> None:
        run_id = approved(acme, {people[0]: "1000.00"})
        reply = acme.admin.post(f"/payroll-runs/{run_id}/pay", {"user_ids": [str(people[0])]}, headers=once())
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/user_ids")
        assert listed(acme) == []


class TestNamed:
    def test_runs_pay_only_the_named(self, acme: Cast, people: list[Any], running: Stack) -> None:
        rahim, karim, mina = people
        for one in people:
            earned(acme, str(one), "40.00")
        sale(acme, str(mina), "100.00")
        reply = acme.admin.ok("POST", "/payouts/final/run", {"user_ids": [str(karim)]}, headers=once())
        running.drain()
        assert acme.admin.ok("GET", reply["status_url"])["result"]["amounts"] == {"BDT": "40.00"}
        assert [payable(acme, one) for one in people] == [40, 0, 40]
        acme.admin.ok("POST", "/payouts/advance/run", {"user_ids": [str(mina)]}, headers=once())
        running.drain()
        assert [payable(acme, one) for one in people] == [40, 0, 0]
        assert sorted(listed(acme)) == [("40.00", "paid"), ("50.00", "paid")]
        start(acme, "final")
        running.drain()
        assert payable(acme, rahim) == 0

    def test_unknown_people_and_fields_are_refused(self, acme: Cast, zenith: Cast, people: list[Any]) -> None:
        earned(acme, str(people[0]), "40.00")
        stranger = employee(zenith)
        for kind in ("advance", "final"):
            path = f"/payouts/{kind}/run"
            assert acme.admin.post(path, {"user_ids": [str(stranger)]}, headers=once()).status == 404
            wrong = acme.admin.post(path, {"user_ids": [str(people[0])], "amount": "1.00"}, headers=once())
            assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "/amount")
            assert acme.admin.post(path, {"user_ids": []}, headers=once()).status == 422
        assert listed(acme) == []


class TestManual:
    def test_is_confirmed_once_with_a_reference_and_not_by_the_payee(
        self, acme: Cast, people: list[Any], running: Stack
    ) -> None:
        rahim, _, _ = people
        destination(acme, rahim, kind="manual", method="wallet")
        earned(acme, str(rahim), "40.00")
        run(acme, running, "final")
        [payout] = acme.admin.ok("GET", "/payouts?provider=manual&status=queued")["items"]
        path = f"/payouts/{payout['id']}/confirm"
        payee = key(acme.id, "tenant_admin", rahim)
        assert payee.post(path, {"reference": "mine"}).status == 403
        assert acme.admin.post(path, {}).status == 422
        for _ in range(2):
            confirmed = acme.admin.ok("POST", path, {"reference": "r-1"})
            assert (confirmed["status"], confirmed["provider_reference"]) == ("paid", "r-1")
        assert acme.admin.post(path, {"reference": "r-2"}).status == 409
        returned = acme.admin.ok("POST", f"/payouts/{payout['id']}/return", {"reason": "the wallet was closed"})
        assert (returned["status"], payable(acme, rahim)) == ("returned", 40)

    def test_fails_where_it_cannot_be_handed_over(self, acme: Cast, people: list[Any], running: Stack) -> None:
        rahim, _, _ = people
        policy(acme, payout_provider="manual")
        earned(acme, str(rahim), "40.00")
        run(acme, running, "final")
        [payout] = acme.admin.ok("GET", "/payouts?provider=manual")["items"]
        path = f"/payouts/{payout['id']}"
        assert acme.admin.post(f"{path}/retry").status == 409
        assert acme.admin.post(f"{path}/resolve", {"outcome": "paid", "reason": "x"}).status == 409
        failed = acme.admin.ok("POST", f"{path}/resolve", {"outcome": "failed", "reason": "left the country"})
        assert (failed["status"], payable(acme, rahim)) == ("failed", 40)

    def test_only_by_hand(self, acme: Cast, people: list[Any], running: Stack) -> None:
        earned(acme, str(people[0]), "40.00")
        start(acme, "final")
        [payout] = acme.admin.ok("GET", "/payouts")["items"]
        reply = acme.admin.post(f"/payouts/{payout['id']}/confirm", {"reference": "r-1"})
        assert (reply.status, "goes by simulated" in reply.json["detail"]) == (409, True)

    def test_waits_for_approval_first(self, acme: Cast, people: list[Any], running: Stack) -> None:
        policy(acme, payout_provider="manual", payout_approval_above="10.00")
        earned(acme, str(people[0]), "40.00")
        start(acme, "final")
        [payout] = acme.admin.ok("GET", "/payouts?status=held")["items"]
        assert acme.admin.post(f"/payouts/{payout['id']}/confirm", {"reference": "r-1"}).status == 409
