"""Payouts as the API shows them, and to whom."""

from decimal import Decimal
from typing import Any

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.payouts import decide, earned, listed, paid, run, sale, seller, whole
from tests.support.people import employee
from tests.support.stack import Stack

D = Decimal


def ids(reply: dict[str, Any]) -> list[str]:
    return [one["id"] for one in reply["items"]]


class TestWhole:
    def test_tells_what_it_pays_and_that_comes_to_its_amount(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        first, second, third = (sale(acme, mina) for _ in range(3))
        run(acme, running, "advance")
        decide(acme, "declined", first)
        decide(acme, "approved", second, third)
        run(acme, running, "final")
        advance, final = acme.admin.ok("GET", f"/payouts?user_id={mina}")["items"]
        payout = whole(acme, advance["id"])
        assert [(line["subject_id"], line["event"], line["amount"]) for line in payout["lines"]] == [
            (first, "advance", "4.00"),
            (second, "advance", "4.00"),
            (third, "advance", "4.00"),
        ]
        payout = whole(acme, final["id"])
        assert sorted((line["subject_id"], line["event"], line["amount"]) for line in payout["lines"]) == sorted(
            [(first, "decline", "-4.00"), (second, "approve", "36.00"), (third, "approve", "36.00")]
        )
        assert sum(D(line["amount"]) for line in payout["lines"]) == D(payout["amount"]) == D("68.00")

    def test_tells_how_it_went_and_what_was_booked(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "refuse")
        assert [(a["number"], a["what"], a["outcome"], a["detail"]) for a in payout["attempts"]] == [
            (1, "sent", "failed", "refused: account unknown")
        ]
        assert payout["attempts"][0]["started_at"] <= payout["attempts"][0]["ended_at"]
        assert [(e["what"], e["status"], e["actor"]) for e in payout["events"]] == [
            ("made", "queued", "tenant_admin key"),
            ("sent", "sending", "payouts"),
            ("answered", "failed", "payouts"),
        ]
        assert [(line["event"], line["debit"], line["credit"], line["amount"]) for line in payout["ledger"]] == [
            ("payout", "payable", "cash", "40.00"),
            ("release", "cash", "payable", "40.00"),
        ]

    def test_tells_where_it_goes_masked_and_since_when(self, acme: Cast, running: Stack) -> None:
        shown = paid(acme, running, "accept")["destination"]
        assert shown.keys() == {"kind", "holder", "masked", "changed_at"}
        assert (shown["kind"], shown["masked"]) == ("simulated", "accept")

    def test_tells_after_a_failure_what_the_next_one_pays(self, acme: Cast, running: Stack) -> None:
        first = paid(acme, running, "refuse")
        earned(acme, first["user_id"], "5.00")
        run(acme, running, "final")
        second = whole(acme, acme.admin.ok("GET", "/payouts")["items"][1]["id"])
        assert [(line["subject_id"] == first["id"], line["event"], line["amount"]) for line in second["lines"]] == [
            (True, "release", "40.00"),
            (False, "approve", "5.00"),
        ]


class TestList:
    def test_goes_page_by_page_oldest_first(self, acme: Cast, running: Stack) -> None:
        for _ in range(5):
            earned(acme, seller(acme))
        run(acme, running, "final")
        everything = ids(acme.admin.ok("GET", "/payouts"))
        assert everything == sorted(everything)
        seen: list[str] = []
        cursor = ""
        while True:
            page = acme.admin.ok("GET", f"/payouts?limit=2{cursor}")
            seen += ids(page)
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert (seen, len(seen)) == (everything, 5)

    def test_is_of_a_person_or_a_status(self, acme: Cast, running: Stack) -> None:
        fine, failed = paid(acme, running), paid(acme, running, "refuse")
        assert listed(acme, "?status=failed") == [("40.00", "failed")]
        assert listed(acme, f"?user_id={fine['user_id']}") == [("40.00", "paid")]
        assert listed(acme, f"?user_id={failed['user_id']}&status=paid") == []
        assert acme.admin.get("/payouts?status=gone").status == 422

    def test_is_of_nobody_elses_tenant(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        assert zenith.admin.ok("GET", "/payouts")["items"] == []
        assert zenith.admin.get(f"/payouts?user_id={payout['user_id']}").status == 404


class TestWho:
    def test_is_a_person_for_their_own(self, acme: Cast, running: Stack) -> None:
        mine, others = paid(acme, running), paid(acme, running)
        payee = key(acme.id, Role.EMPLOYEE, mine["user_id"])
        assert ids(payee.ok("GET", "/payouts")) == [mine["id"]]
        assert payee.ok("GET", f"/payouts/{mine['id']}") == mine
        assert payee.get(f"/payouts/{others['id']}").status == 404
        assert payee.get(f"/payouts?user_id={others['user_id']}").status == 404

    def test_is_hr_for_all(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        assert acme.hr.ok("GET", f"/payouts/{payout['id']}") == payout

    def test_is_a_manager_for_their_own_and_for_nobody_elses(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        payee = key(acme.id, Role.MANAGER, payout["user_id"])
        assert [one["id"] for one in payee.ok("GET", "/payouts")["items"]] == [payout["id"]]
        other = key(acme.id, Role.MANAGER, employee(acme, employee_no="E-9"))
        assert other.ok("GET", "/payouts")["items"] == []
        assert other.get(f"/payouts/{payout['id']}").status == 404

    def test_is_no_stranger(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        reply = zenith.admin.get(f"/payouts/{payout['id']}")
        assert (reply.status, reply.json["detail"]) == (404, "There is no such payout.")
