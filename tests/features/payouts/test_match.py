"""Books that were restored to an earlier moment, and the provider's own list that knows more."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from chalicelib.backing import clock
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.matching import actions as matching_actions
from chalicelib.features.payouts.matching.actions import MatchedReference
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.kernel.errors import Conflict
from tests.support.cast import Cast
from tests.support.payouts import (
    RestorePoint,
    books,
    decide,
    earned,
    listed,
    only,
    paid,
    payable,
    policy,
    run,
    sale,
    seller,
    start,
    steps,
    whole,
)
from tests.support.people import sql
from tests.support.stack import Stack

LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00Z")
D = Decimal


def match(cast: Cast, since: datetime = LONG_AGO) -> list[MatchedReference]:
    """Match with payouts off, as an operator does, and leave them off."""
    policy(cast, payouts_enabled=False)
    with job_scope(cast.id, name="operator", now=clock.now(), origin=Origin("-")) as scope:
        matches = matching_actions.match(scope, since=since)
        for last in scope.at_commit:
            last()
    return matches


def outcomes(matches: list[MatchedReference]) -> list[tuple[str, str | None]]:
    return [(one.outcome.value, one.problem) for one in matches]


class TestMatch:
    def test_is_refused_while_payouts_are_on(self, acme: Cast) -> None:
        with (
            job_scope(acme.id, name="operator", now=clock.now(), origin=Origin("-")) as scope,
            pytest.raises(Conflict, match="Switch them off first"),
        ):
            matching_actions.match(scope, since=LONG_AGO)

    def test_adopts_a_payout_that_the_books_have_lost(
        self, acme: Cast, zenith: Cast, running: Stack, root: psycopg.Connection
    ) -> None:
        mina = seller(acme)
        earned(acme, mina)
        paid(zenith, running)
        before = RestorePoint(root)
        run(acme, running, "final")
        lost = only(acme, mina)
        before.restore()
        assert (listed(acme), payable(acme, mina)) == ([], D("40.00"))
        assert outcomes(match(acme)) == [("adopted", None)]
        payout = only(acme, mina)
        assert (payout["status"], payout["kind"], payout["reference"]) == ("paid", "matched", lost["reference"])
        assert [(line["event"], line["amount"]) for line in payout["lines"]] == [("approve", "40.00")]
        assert steps(payout) == ["made queued", "matched sending", "matched paid"]
        assert [(line["debit"], line["credit"], line["amount"]) for line in payout["ledger"]] == [
            ("payable", "cash", "40.00")
        ]
        assert payable(acme, mina) == 0
        policy(acme, payouts_enabled=True)
        run(acme, running, "final")
        assert listed(acme) == [("40.00", "paid")]
        assert listed(zenith) == [("40.00", "paid")]

    def test_changes_nothing_when_it_is_done_again(self, acme: Cast, running: Stack, root: psycopg.Connection) -> None:
        mina = seller(acme)
        earned(acme, mina)
        before = RestorePoint(root)
        run(acme, running, "final")
        before.restore()
        match(acme)
        state = (only(acme, mina), books(acme))
        assert outcomes(match(acme)) == [("unchanged", None)]
        assert (only(acme, mina), books(acme)) == state

    def test_shows_beforehand_what_it_would_do(self, acme: Cast, running: Stack, root: psycopg.Connection) -> None:
        mina = seller(acme)
        earned(acme, mina)
        before = RestorePoint(root)
        run(acme, running, "final")
        before.restore()
        with job_scope(acme.id, name="operator", now=clock.now(), origin=Origin("-")) as scope:
            matches = matching_actions.compare(scope, since=LONG_AGO)
        assert outcomes(matches) == [("adopted", None)]
        assert (listed(acme), payable(acme, mina)) == ([], D("40.00"))

    @pytest.mark.parametrize("status", ["held", "queued", "sending", "unknown", "review"])
    def test_settles_a_payout_whose_end_was_lost(
        self, acme: Cast, running: Stack, root: psycopg.Connection, status: str
    ) -> None:
        payout = paid(acme, running)
        root.execute("set session_replication_role = replica")
        root.execute("update payouts set status = %s, settled_at = null where id = %s", [status, payout["id"]])
        root.execute("set session_replication_role = origin")
        assert outcomes(match(acme)) == [("settled", None)]
        assert whole(acme, payout["id"])["status"] == "paid"
        assert outcomes(match(acme)) == [("unchanged", None)]
        assert books(acme) == {"cash BDT": D("-40.00"), "sales_cost BDT": D("40.00")}

    def test_nets_what_was_paid_for_sales_that_are_lost_too(
        self, acme: Cast, running: Stack, root: psycopg.Connection
    ) -> None:
        mina = seller(acme)
        earned(acme, mina, "40.00")
        before = RestorePoint(root)
        earned(acme, mina, "60.00")
        run(acme, running, "final")
        before.restore()
        assert outcomes(match(acme)) == [("adopted", None)]
        assert payable(acme, mina) == D("-60.00")
        assert only(acme, mina)["lines"] == []  # what it paid is not on the books
        earned(acme, mina, "100.00")
        policy(acme, payouts_enabled=True)
        run(acme, running, "final")
        assert listed(acme) == [("100.00", "paid"), ("40.00", "paid")]
        latest = acme.admin.ok("GET", f"/payouts?user_id={mina}")["items"][-1]
        assert [(line["event"], line["amount"]) for line in whole(acme, latest["id"])["lines"]] == [
            ("approve", "40.00"),
            ("payout", "-100.00"),
            ("approve", "100.00"),
        ]

    def test_adopts_several_payouts_of_one_person(self, acme: Cast, running: Stack, root: psycopg.Connection) -> None:
        mina = seller(acme)
        first, second = sale(acme, mina), sale(acme, mina)
        before = RestorePoint(root)
        run(acme, running, "advance")
        decide(acme, "approved", first, second)
        run(acme, running, "final")
        before.restore()
        assert payable(acme, mina) == 0
        assert outcomes(match(acme)) == [("adopted", None), ("adopted", None)]
        assert payable(acme, mina) == D("-80.00")
        # advances and decisions come again, as callers repeat what was lost, and are paid already
        decide(acme, "approved", first, second)
        policy(acme, payouts_enabled=True)
        run(acme, running, "final")
        assert sorted(listed(acme)) == [("72.00", "paid"), ("8.00", "paid")]
        assert books(acme) == {"cash BDT": D("-80.00"), "sales_cost BDT": D("80.00")}

    def test_adopts_one_that_came_back_as_returned(self, acme: Cast, running: Stack, root: psycopg.Connection) -> None:
        mina = seller(acme, "late_return")
        earned(acme, mina)
        before = RestorePoint(root)
        run(acme, running, "final")
        sql(acme, "update simulated_movements set status = 'returned'")
        before.restore()
        assert outcomes(match(acme)) == [("adopted", None)]
        assert (only(acme, mina)["status"], payable(acme, mina)) == ("returned", D("40.00"))
        assert outcomes(match(acme)) == [("unchanged", None)]

    def test_returns_a_payout_that_came_back(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        sql(acme, "update simulated_movements set status = 'returned'")
        assert outcomes(match(acme)) == [("settled", None)]
        assert whole(acme, payout["id"])["status"] == "returned"
        assert outcomes(match(acme)) == [("unchanged", None)]

    def test_leaves_another_amount_to_a_person(self, acme: Cast, running: Stack, root: psycopg.Connection) -> None:
        payout = paid(acme, running, "timeout_after")
        assert payout["status"] == "unknown"
        root.execute("update simulated_movements set amount = 41.00 where tenant_id = %s", [acme.id])
        problem = (
            f"the provider's list says 41.00 BDT to {payout['user_id']} instead of 40.00 BDT to {payout['user_id']}"
        )
        assert outcomes(match(acme)) == [("contradicted", problem)]
        assert (whole(acme, payout["id"])["status"], whole(acme, payout["id"])["problem"]) == ("review", problem)
        assert outcomes(match(acme)) == [("contradicted", problem)]
        assert steps(whole(acme, payout["id"]))[-1:] == ["matched review"]

    def test_says_of_a_second_movement_under_one_reference(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "duplicate")
        assert [one.amount for one in match(acme)] == [D("80.00")]
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_says_that_a_failed_payout_moved(self, acme: Cast, running: Stack) -> None:
        paid(acme, running, "refuse")
        sql(acme, "update simulated_movements set status = 'accepted'")
        assert outcomes(match(acme)) == [
            ("contradicted", "the payout is failed: its money was given back, and may have been paid again")
        ]

    def test_leaves_out_what_nobody_can_be_found_for(self, acme: Cast) -> None:
        sql(
            acme,
            "insert into simulated_movements (tenant_id, reference, user_id, currency, amount, status, at)"
            " values (:tenant_id, 'x', :user_id, 'BDT', 1, 'accepted', now())",
            tenant_id=acme.id,
            user_id=UUID(int=7),
        )
        assert outcomes(match(acme)) == [("contradicted", "the books have lost the person it went to")]

    def test_looks_only_at_what_moved_since(self, acme: Cast, running: Stack) -> None:
        paid(acme, running)
        assert match(acme, since=clock.now() + timedelta(hours=1)) == []

    def test_ignores_the_answer_of_a_worker_that_was_sending(self, acme: Cast, running: Stack) -> None:
        # the worker of before the restore still waits for its answer
        mina = seller(acme)
        earned(acme, mina)
        start(acme, "final")
        payout_id = UUID(only(acme, mina)["id"])
        with job_scope(acme.id, name="payouts", now=clock.now(), origin=Origin("-")) as scope:
            side_effect = delivery_actions.take_next_step(scope, payout_id)
        assert side_effect is not None
        answer = side_effect.call()
        assert outcomes(match(acme)) == [("settled", None)]
        with job_scope(acme.id, name="payouts", now=clock.now(), origin=Origin("-")) as scope:
            assert side_effect.settle(scope, answer) is None
        assert only(acme, mina)["status"] == "paid"


def test_is_kept_in_the_audit(acme: Cast, running: Stack, root: psycopg.Connection) -> None:
    mina = seller(acme)
    earned(acme, mina)
    before = RestorePoint(root)
    run(acme, running, "final")
    before.restore()
    match(acme)
    [entry] = acme.admin.ok("GET", "/audit-logs?action=payouts.matched")["items"]
    assert entry["after"]["matched"][0]["outcome"] == "adopted"
