"""Decisions about payouts: approve, reject, retry, return, resolve; and the answer where one is refused."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, by_another, key
from tests.support.payouts import (
    books,
    earned,
    listed,
    look,
    moved,
    once,
    only,
    paid,
    pass_time,
    payable,
    policy,
    run,
    seller,
    start,
    steps,
    whole,
)
from tests.support.people import row
from tests.support.stack import Stack

D = Decimal
SETTLED = {"cash BDT": D("-40.00"), "sales_cost BDT": D("40.00")}
OWED = {"payable BDT": D("-40.00"), "sales_cost BDT": D("40.00")}
REJECTED = {"reason": "not agreed"}
RESOLVED = {"outcome": "paid", "reason": "the bank says so", "provider_reference": "B-77"}


@pytest.fixture
def held(acme: Cast, running: Stack) -> dict[str, Any]:
    """Hold a payout of 40.00, whose run HR has started, of a sale that another admin made and decided."""
    policy(acme, payout_approval_above="39.99")
    user_id = seller(acme)
    earned(by_another(acme), user_id)
    acme.hr.ok("POST", "/payouts/final/run", headers=once())
    running.drain()
    return only(acme, user_id)


def act(api: Api, payout: dict[str, Any], verb: str, body: Any = None) -> tuple[int, str]:
    """Decide, and return the HTTP status with the payout's status after it, or with the problem."""
    reply = api.post(f"/payouts/{payout['id']}/{verb}", body)
    return reply.status, reply.json.get("detail") or reply.json["status"]


class TestHold:
    def test_is_for_amounts_above_the_limit(self, acme: Cast, running: Stack) -> None:
        policy(acme, payout_approval_above="40.00")
        for earning in ("40.00", "40.01"):
            earned(acme, seller(acme), earning)
        assert run(acme, running, "final") == {"payouts": 2, "held": 1, "amounts": {"BDT": "80.01"}}
        assert sorted(listed(acme)) == [("40.00", "paid"), ("40.01", "held")]

    def test_keeps_the_money_out_of_every_other_run(self, acme: Cast, running: Stack, held: dict[str, Any]) -> None:
        assert steps(held) == ["made held"]
        assert (held["prepared_by"], held["approved_by"]) == ("hr key", None)
        run(acme, running, "final")
        pass_time(acme, days=30)
        look(running)
        assert listed(acme) == [("40.00", "held")]
        assert (payable(acme, held["user_id"]), moved(acme)) == (0, [])


class TestApprove:
    def test_lets_it_go(self, acme: Cast, running: Stack, held: dict[str, Any]) -> None:
        assert act(acme.admin, held, "approve") == (200, "queued")
        running.drain()
        payout = whole(acme, held["id"])
        assert (payout["status"], payout["approved_by"]) == ("paid", "tenant_admin key")
        assert steps(payout)[:2] == ["made held", "approved queued"]
        assert books(acme) == SETTLED

    def test_again_says_what_it_is_and_sends_it_once(self, acme: Cast, running: Stack, held: dict[str, Any]) -> None:
        act(acme.admin, held, "approve")
        assert act(acme.admin, held, "approve") == (
            409,
            "This payout is queued; only one that is held can be approved.",
        )
        running.drain()
        assert act(acme.admin, held, "approve") == (409, "This payout is paid; only one that is held can be approved.")
        assert len(moved(acme)) == 1

    def test_by_two_at_once_counts_once(self, acme: Cast, running: Stack, held: dict[str, Any]) -> None:
        with ThreadPoolExecutor(2) as clicks:
            statuses = list(clicks.map(lambda _: act(acme.admin, held, "approve")[0], range(2)))
        running.drain()
        assert (sorted(statuses), len(moved(acme))) == ([200, 409], 1)

    def test_and_reject_at_once_do_not_both_happen(self, acme: Cast, running: Stack, held: dict[str, Any]) -> None:
        with ThreadPoolExecutor(2) as clicks:
            clicks.submit(act, acme.admin, held, "approve")
            clicks.submit(act, acme.admin, held, "reject", REJECTED)
        running.drain()
        status = whole(acme, held["id"])["status"]
        assert (status, books(acme)) in [("paid", SETTLED), ("cancelled", OWED)]

    def test_is_not_for_who_started_the_run(self, acme: Cast, running: Stack) -> None:
        policy(acme, payout_approval_above="0")
        earned(acme, seller(acme))
        start(acme, "final")
        [payout] = acme.admin.ok("GET", "/payouts")["items"]
        status, detail = act(acme.admin, payout, "approve")
        assert (status, detail) == (403, "You started the run that made this payout; somebody else has to approve it.")
        assert whole(acme, payout["id"])["status"] == "held"

    def test_is_not_for_who_started_the_run_under_another_key(self, acme: Cast, running: Stack) -> None:
        person = row(acme, "users", {"name": "Karim"})
        mine = key(acme.id, Role.HR, person), key(acme.id, Role.TENANT_ADMIN, person)
        policy(acme, payout_approval_above="0")
        earned(by_another(acme), seller(acme))
        mine[0].ok("POST", "/payouts/final/run", headers=once())
        running.drain()
        [payout] = acme.admin.ok("GET", "/payouts")["items"]
        assert act(mine[1], payout, "approve")[0] == 403
        assert act(acme.admin, payout, "approve") == (200, "queued")

    def test_is_for_any_admin_where_the_schedule_started_the_run(self, acme: Cast, running: Stack) -> None:
        policy(acme, payout_approval_above="0")
        earned(by_another(acme), seller(acme))
        running.tick("final-payouts")
        running.drain()
        [payout] = acme.admin.ok("GET", "/payouts")["items"]
        assert payout["prepared_by"] == "payout-runs"
        assert act(acme.admin, payout, "approve") == (200, "queued")

    def test_is_not_for_who_retried_it(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "refuse")
        policy(acme, payout_approval_above="0")
        status, _ = act(acme.admin, payout, "retry")
        assert status == 200
        [again] = acme.admin.ok("GET", "/payouts?status=held")["items"]
        assert act(acme.admin, again, "approve")[0] == 403

    def test_waits_while_payouts_are_off(self, acme: Cast, running: Stack, held: dict[str, Any]) -> None:
        policy(acme, payouts_enabled=False)
        assert act(acme.admin, held, "approve") == (200, "queued")
        running.drain()
        assert whole(acme, held["id"])["status"] == "queued"
        policy(acme, payouts_enabled=True)
        pass_time(acme, minutes=5)
        look(running)
        assert whole(acme, held["id"])["status"] == "paid"


class TestReject:
    def test_gives_the_money_back_and_the_next_run_holds_it_anew(
        self, acme: Cast, running: Stack, held: dict[str, Any]
    ) -> None:
        assert act(acme.admin, held, "reject", REJECTED) == (200, "cancelled")
        assert books(acme) == OWED
        payout = whole(acme, held["id"])
        assert (payout["problem"], [line["event"] for line in payout["ledger"]]) == (
            "not agreed",
            ["payout", "release"],
        )
        run(acme, running, "final")
        assert listed(acme) == [("40.00", "cancelled"), ("40.00", "held")]

    def test_needs_a_reason(self, acme: Cast, held: dict[str, Any]) -> None:
        assert act(acme.admin, held, "reject", {})[0] == 422

    def test_again_says_that_it_was(self, acme: Cast, held: dict[str, Any]) -> None:
        act(acme.admin, held, "reject", REJECTED)
        assert act(acme.admin, held, "reject", REJECTED) == (
            409,
            "This payout is cancelled; only one that is held can be rejected.",
        )
        assert books(acme) == OWED


class TestRetry:
    @pytest.mark.parametrize("behaviour", ["refuse", "late_return"])
    def test_pays_anew_what_failed_or_came_back(self, acme: Cast, running: Stack, behaviour: str) -> None:
        first = paid(acme, running, behaviour)
        pass_time(acme, hours=24)
        look(running)
        to = {"kind": "simulated", "behaviour": "accept"}
        acme.admin.ok("PUT", f"/users/{first['user_id']}/payout-destination", to)
        second = acme.admin.ok("POST", f"/payouts/{first['id']}/retry")
        assert second["id"] != first["id"]
        assert (second["kind"], second["amount"], second["status"]) == ("retry", "40.00", "queued")
        assert [line["subject_id"] for line in second["lines"]] == [first["id"]]
        running.drain()
        assert whole(acme, second["id"])["status"] == "paid"
        assert books(acme) == SETTLED

    def test_again_says_that_there_is_nothing_to_pay(self, acme: Cast, running: Stack) -> None:
        first = paid(acme, running, "refuse")
        to = {"kind": "simulated", "behaviour": "accept"}
        acme.admin.ok("PUT", f"/users/{first['user_id']}/payout-destination", to)
        with ThreadPoolExecutor(2) as clicks:
            statuses = list(clicks.map(lambda _: act(acme.admin, first, "retry")[0], range(2)))
        assert sorted(statuses) == [200, 409]
        assert act(acme.admin, first, "retry") == (
            409,
            "There is nothing to pay: what this payout gave back is on its way already, was netted, is below the"
            " minimum payout, or there is no payout destination.",
        )
        running.drain()
        assert listed(acme) == [("40.00", "failed"), ("40.00", "paid")]

    def test_is_refused_while_payouts_are_off(self, acme: Cast, running: Stack) -> None:
        first = paid(acme, running, "refuse")
        policy(acme, payouts_enabled=False)
        status, detail = act(acme.admin, first, "retry")
        assert (status, detail[:27]) == (409, "Payouts are switched off; P")

    def test_of_one_in_doubt_asks_now_and_sends_nothing(self, acme: Cast, running: Stack) -> None:
        first = paid(acme, running, "timeout_after")
        assert act(acme.admin, first, "retry") == (200, "unknown")
        running.drain()
        assert (whole(acme, first["id"])["status"], len(moved(acme))) == ("paid", 1)

    def test_of_one_that_is_queued_sends_its_message_again(self, acme: Cast, running: Stack) -> None:
        user_id = seller(acme)
        earned(acme, user_id)
        start(acme, "final")
        running.sqs.purge_queue(QueueUrl=running.loop._url("wagebook-payouts"))
        payout = only(acme, user_id)
        assert act(acme.admin, payout, "retry") == (200, "queued")
        running.drain()
        assert whole(acme, payout["id"])["status"] == "paid"

    @pytest.mark.parametrize(("behaviour", "detail"), [
        ("accept", "It was paid; if the money came back, say so with /return."),
        ("other_amount", "Nobody could say whether it was paid; find out, and say so with /resolve."),
    ])  # fmt: skip
    def test_of_another_says_what_to_do_instead(self, acme: Cast, running: Stack, behaviour: str, detail: str) -> None:
        assert act(acme.admin, paid(acme, running, behaviour), "retry") == (409, detail)

    def test_of_a_held_or_rejected_one_says_what_to_do_instead(self, acme: Cast, held: dict[str, Any]) -> None:
        assert act(acme.admin, held, "retry") == (409, "It waits for approval; approve or reject it.")
        act(acme.admin, held, "reject", REJECTED)
        assert act(acme.admin, held, "retry") == (409, "It was rejected; the next run pays what the person is owed.")


class TestReturn:
    def test_gives_the_money_back_and_the_next_run_pays_anew(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        assert act(acme.admin, payout, "return", {"reason": "account closed"}) == (200, "returned")
        assert (whole(acme, payout["id"])["problem"], books(acme)) == ("account closed", OWED)
        run(acme, running, "final")
        assert listed(acme) == [("40.00", "returned"), ("40.00", "paid")]
        assert books(acme) == SETTLED

    def test_needs_no_reason(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        act(acme.admin, payout, "return", {})
        assert whole(acme, payout["id"])["problem"] == "returned by the bank"

    def test_again_says_that_it_was(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        act(acme.admin, payout, "return", {})
        assert act(acme.admin, payout, "return", {}) == (
            409,
            "This payout is returned; only one that is paid can be returned.",
        )
        assert books(acme) == OWED

    def test_is_not_for_one_in_doubt(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "timeout_after")
        assert act(acme.admin, payout, "return", {}) == (
            409,
            "This payout is unknown; only one that is paid can be returned.",
        )
        assert payable(acme, payout["user_id"]) == 0


class TestResolve:
    def test_as_paid_keeps_the_money_where_it_went(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "other_amount")
        assert act(acme.admin, payout, "resolve", RESOLVED) == (200, "paid")
        after = whole(acme, payout["id"])
        assert (after["provider_reference"], after["problem"]) == ("B-77", "the bank says so")
        assert books(acme) == SETTLED

    def test_as_failed_gives_it_back(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "other_amount")
        resolution = {"outcome": "failed", "reason": "the bank never saw it"}
        assert act(acme.admin, payout, "resolve", resolution) == (200, "failed")
        assert books(acme) == OWED

    def test_is_only_for_review_and_only_once(self, acme: Cast, running: Stack) -> None:
        unknown, payout = paid(acme, running, "timeout_after"), paid(acme, running, "other_amount")
        assert act(acme.admin, unknown, "resolve", RESOLVED) == (
            409,
            "This payout is unknown; only one that is review can be resolved.",
        )
        act(acme.admin, payout, "resolve", RESOLVED)
        assert act(acme.admin, payout, "resolve", {"outcome": "failed", "reason": "no"})[0] == 409
        assert whole(acme, payout["id"])["status"] == "paid"

    @pytest.mark.parametrize("said", [{}, {"outcome": "paid"}, {"outcome": "returned", "reason": "x"}])
    def test_needs_an_outcome_and_a_reason(self, acme: Cast, running: Stack, said: dict[str, str]) -> None:
        assert act(acme.admin, paid(acme, running, "other_amount"), "resolve", said)[0] == 422


VERBS = [("approve", None), ("reject", REJECTED), ("retry", None), ("return", {}), ("resolve", RESOLVED)]


class TestEveryDecision:
    @pytest.mark.parametrize(("verb", "body"), VERBS)
    def test_is_not_for_another_tenant(
        self, acme: Cast, zenith: Cast, held: dict[str, Any], verb: str, body: Any
    ) -> None:
        assert act(zenith.admin, held, verb, body) == (404, "There is no such payout.")
        assert whole(acme, held["id"])["status"] == "held"

    @pytest.mark.parametrize(("verb", "body"), VERBS)
    def test_is_for_the_admin_alone(self, acme: Cast, held: dict[str, Any], verb: str, body: Any) -> None:
        employee = key(acme.id, Role.EMPLOYEE, held["user_id"])
        assert act(employee, held, verb, body)[0] == 403
        # HR, who may start runs, may also try one payout again; what that means for a held one is said above
        assert act(acme.hr, held, verb, body)[0] == (409 if verb == "retry" else 403)

    def test_is_kept_in_the_audit_with_what_it_was_before(self, acme: Cast, held: dict[str, Any]) -> None:
        act(acme.admin, held, "reject", REJECTED)
        [entry] = acme.admin.ok("GET", f"/audit-logs?entity_id={held['id']}")["items"]
        assert (entry["action"], entry["before"], entry["after"]) == (
            "payout.rejected",
            {"status": "held"},
            {"status": "cancelled", "reason": "not agreed"},
        )
