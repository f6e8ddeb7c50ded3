"""Deciding sales in bulk: what is posted to the ledger, and the result of each item."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.backing.database import run as run_statement
from chalicelib.features.sales import actions
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin
from chalicelib.ledger import accounts
from tests.support.cast import Cast, key
from tests.support.payouts import books, decide, payable, policy, run, sale, seller
from tests.support.people import sql
from tests.support.stack import Stack
from tests.support.waiting import until_lock_wait

EVERYBODY = {"first": UUID(int=0), "last": UUID(int=2**128 - 1)}


def reconcile(cast: Cast, *items: dict[str, Any]) -> dict[str, Any]:
    return dict(cast.admin.ok("POST", "/reconcile", {"items": list(items)}))


def item(sale_id: str, status: str = "approved", **more: Any) -> dict[str, Any]:
    return {"sale_id": sale_id, "status": status, **more}


def fix(sale_id: str, status: str) -> dict[str, Any]:
    return item(sale_id, status, correction=True, reason="looked again")


def results(report: dict[str, Any]) -> list[str]:
    return [one["result"] for one in report["items"]]


def booked(cast: Cast, sale_id: str) -> list[str]:
    """Write a sale's lines as an accountant would, in the order of booking."""
    rows = sql(cast, "select * from ledger_entries where subject_id = :id order by number", id=sale_id)
    return [f"{row.event}/{row.revision} {row.debit} to {row.credit} {row.amount}" for row in rows]


class TestReconcile:
    def test_owes_an_approved_earning_less_its_advance(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        with_advance = sale(acme, mina)
        run(acme, running, "advance")
        without = sale(acme, mina, "25.00")
        assert reconcile(acme, item(with_advance), item(without)) == {
            "items": [
                {"sale_id": with_advance, "result": "ok", "detail": None},
                {"sale_id": without, "result": "ok", "detail": None},
            ],
            "counts": {"ok": 2},
        }
        assert booked(acme, with_advance) == [
            "advance/1 advances to payable 4.00",
            "approve/1 sales_cost to advances 4.00",
            "approve/1 sales_cost to payable 36.00",
        ]
        assert booked(acme, without) == ["approve/1 sales_cost to payable 25.00"]
        # the 4.00 of the advance are paid; 36.00 and 25.00 are owed
        assert payable(acme, mina) == Decimal("61.00")
        assert books(acme) == {"sales_cost BDT": Decimal(65), "payable BDT": Decimal(-61), "cash BDT": Decimal(-4)}

    def test_owes_back_the_advance_of_a_declined_one(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        sale_id = sale(acme, mina)
        run(acme, running, "advance")
        assert decide(acme, "declined", sale_id, reason="returned goods") == {"ok": 1}
        assert booked(acme, sale_id)[1:] == ["decline/1 payable to advances 4.00"]
        assert payable(acme, mina) == Decimal("-4.00")
        shown = acme.admin.ok("GET", f"/sales/{sale_id}")
        assert (shown["status"], shown["reason"], shown["advance"]) == ("declined", "returned goods", "4.00")

    def test_books_nothing_for_a_declined_one_without_advance(self, acme: Cast) -> None:
        sale_id = sale(acme, seller(acme))
        assert decide(acme, "declined", sale_id) == {"ok": 1}
        assert booked(acme, sale_id) == []

    def test_books_only_the_settling_where_the_advance_was_everything(self, acme: Cast, running: Stack) -> None:
        policy(acme, advance_rate="1")
        sale_id = sale(acme, seller(acme))
        run(acme, running, "advance")
        decide(acme, "approved", sale_id)
        assert booked(acme, sale_id) == [
            "advance/1 advances to payable 40.00",
            "approve/1 sales_cost to advances 40.00",
        ]

    @pytest.mark.parametrize(("currency", "earning", "advance", "rest"), [
        ("JPY", "99", "9", "90"), ("BDT", "0.99", "0.09", "0.90"), ("KWD", "0.999", "0.099", "0.900"),
        ("BDT", "0.09", None, "0.09"), ("JPY", "9", None, "9"),
    ])  # fmt: skip
    def test_comes_out_to_the_minor_unit(
        self, acme: Cast, running: Stack, currency: str, earning: str, advance: str | None, rest: str
    ) -> None:
        sale_id = sale(acme, seller(acme), earning, currency=currency)
        run(acme, running, "advance")
        decide(acme, "approved", sale_id)
        expected = [f"advance/1 advances to payable {advance}", f"approve/1 sales_cost to advances {advance}"]
        assert booked(acme, sale_id) == (expected if advance else []) + [f"approve/1 sales_cost to payable {rest}"]

    def test_changes_nothing_when_repeated(self, acme: Cast) -> None:
        sale_id = sale(acme, seller(acme))
        decide(acme, "approved", sale_id)
        before = booked(acme, sale_id)
        assert (
            reconcile(acme, item(sale_id), item(sale_id))["items"]
            == [{"sale_id": sale_id, "result": "unchanged", "detail": None}] * 2
        )
        assert results(reconcile(acme, fix(sale_id, "approved"))) == ["unchanged"]
        assert booked(acme, sale_id) == before
        assert sql(acme, "select count(*) from sale_decisions")[0][0] == 1
        assert sql(acme, "select count(*) from audit_logs where action = 'sales.decided'")[0][0] == 1

    def test_refuses_another_decision_without_stopping_the_others(self, acme: Cast, zenith: Cast) -> None:
        mina = seller(acme)
        decided, pending = sale(acme, mina), sale(acme, mina)
        strangers, nobodys = sale(zenith, seller(zenith)), str(uuid4())
        decide(acme, "approved", decided)
        report = reconcile(acme, item(decided, "declined"), item(strangers), item(pending), item(nobodys))
        assert results(report) == ["conflict", "not_found", "ok", "not_found"]
        assert [one["detail"] for one in report["items"]] == [
            "it is approved; to change that, send it again with correction: true and a reason",
            "there is no such sale",
            None,
            "there is no such sale",
        ]
        assert report["counts"] == {"conflict": 1, "not_found": 2, "ok": 1}
        assert zenith.admin.ok("GET", f"/sales/{strangers}")["status"] == "pending"

    def test_keeps_who_decided_what_in_the_audit(self, acme: Cast) -> None:
        mina = seller(acme)
        first, second = sale(acme, mina), sale(acme, mina)
        decide(acme, "approved", first, second)
        reconcile(acme, fix(second, "declined"))
        rows = sql(acme, "select entity_id, after from audit_logs where action = 'sales.decided' order by seq")
        assert [tuple(row) for row in rows] == [
            ("many", {"results": {"ok": 2}, "corrected": []}),
            (
                second,
                {
                    "results": {"ok": 1},
                    "corrected": [{"sale_id": second, "from": "approved", "to": "declined", "reason": "looked again"}],
                },
            ),
        ]
        decided = sql(
            acme, "select revision, status, decided_by from sale_decisions where sale_id = :id order by 1", id=second
        )
        assert [tuple(row) for row in decided] == [
            (1, "approved", "tenant_admin key"),
            (2, "declined", "tenant_admin key"),
        ]


class TestCorrection:
    def test_reverses_what_was_booked_and_books_anew_both_ways(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        sale_id = sale(acme, mina)
        run(acme, running, "advance")
        decide(acme, "approved", sale_id)
        assert results(reconcile(acme, fix(sale_id, "declined"))) == ["ok"]
        assert booked(acme, sale_id)[3:] == [
            "reverse/1 advances to sales_cost 4.00",
            "reverse/1 payable to sales_cost 36.00",
            "decline/2 payable to advances 4.00",
        ]
        assert payable(acme, mina) == Decimal("-4.00")
        assert results(reconcile(acme, fix(sale_id, "approved"))) == ["ok"]
        assert booked(acme, sale_id)[6:] == [
            "reverse/2 advances to payable 4.00",
            "approve/3 sales_cost to advances 4.00",
            "approve/3 sales_cost to payable 36.00",
        ]
        assert payable(acme, mina) == Decimal("36.00")
        assert books(acme) == {"sales_cost BDT": Decimal(40), "payable BDT": Decimal(-36), "cash BDT": Decimal(-4)}
        assert acme.admin.ok("GET", f"/sales/{sale_id}")["status"] == "approved"

    def test_decides_a_pending_sale_like_any_other(self, acme: Cast) -> None:
        sale_id = sale(acme, seller(acme))
        assert results(reconcile(acme, fix(sale_id, "approved"))) == ["ok"]
        assert booked(acme, sale_id) == ["approve/1 sales_cost to payable 40.00"]

    def test_never_makes_a_sale_pending_or_advanced_again(self, acme: Cast, running: Stack) -> None:
        sale_id = sale(acme, seller(acme))
        decide(acme, "declined", sale_id)
        run(acme, running, "advance")
        reconcile(acme, fix(sale_id, "approved"))
        assert booked(acme, sale_id) == ["approve/2 sales_cost to payable 40.00"]


class TestRepeats:
    """A sale that stands twice in one call: the first counts."""

    @pytest.mark.parametrize(("before", "first", "second", "expected"), [
        (None, item("-"), item("-"), ["ok", "unchanged"]),
        (None, item("-"), item("-", "declined"), ["ok", "conflict"]),
        (None, item("-"), fix("-", "declined"), ["ok", "conflict"]),
        ("approved", item("-"), item("-"), ["unchanged", "unchanged"]),
        ("approved", item("-", "declined"), item("-", "declined"), ["conflict", "conflict"]),
        ("approved", fix("-", "declined"), item("-", "declined"), ["ok", "unchanged"]),
        ("approved", fix("-", "declined"), item("-", "approved"), ["ok", "conflict"]),
        ("approved", item("-", "declined"), fix("-", "declined"), ["conflict", "conflict"]),
    ])  # fmt: skip
    def test_are_judged_after_the_first(
        self, acme: Cast, before: str | None, first: dict, second: dict, expected: list[str]
    ) -> None:
        mina = seller(acme)
        sale_id, other = sale(acme, mina), sale(acme, mina)
        if before:
            decide(acme, before, sale_id)
        report = reconcile(acme, {**first, "sale_id": sale_id}, item(other), {**second, "sale_id": sale_id})
        assert results(report) == [expected[0], "ok", expected[1]]
        if expected[1] == "conflict":
            assert report["items"][2]["detail"] == "this call names the sale more than once; only the first counts"


class TestBulk:
    def test_takes_ten_thousand_and_answers_in_their_order(self, acme: Cast) -> None:
        mina, karim = seller(acme), seller(acme)
        rows = [{"user_id": (mina, karim)[n % 2], "earning": "1.00", "external_id": f"B-{n}"} for n in range(9_998)]
        acme.hr.ok("POST", "/sales/import", rows)
        ids = {row.external_id: str(row.id) for row in sql(acme, "select id, external_id from sales")}
        items = [item(ids[f"B-{n}"], "declined" if n % 10 == 7 else "approved") for n in range(9_998)]
        items.insert(5_000, item(ids["B-0"], "declined"))
        items.append(item(str(uuid4())))
        report = reconcile(acme, *items)
        assert report["counts"] == {"ok": 9_998, "conflict": 1, "not_found": 1}
        assert [one["sale_id"] for one in report["items"]] == [one["sale_id"] for one in items]
        assert (report["items"][5_000]["result"], report["items"][9_999]["result"]) == ("conflict", "not_found")
        # 9,998 sales: of Mina's 4,999 (even) none is declined; of Karim's 4,999 (odd) those ending in 7, 1,000 of them
        assert (payable(acme, mina), payable(acme, karim)) == (Decimal(4_999), Decimal(3_999))
        again = reconcile(acme, *items)["counts"]
        assert again == {"unchanged": 9_998, "conflict": 1, "not_found": 1}

    def test_refuses_what_cannot_be_read(self, acme: Cast) -> None:
        one = item(str(uuid4()))
        for body, place in (
            ({"items": []}, "/items"),
            ({"items": [one] * 10_001}, "/items"),
            ({}, "/items"),
            ({"items": [{**one, "status": "pending"}]}, "/items/0/status"),
            ({"items": [one, {"sale_id": "1", "status": "approved"}]}, "/items/1/sale_id"),
            ({"items": [{**one, "correction": True}]}, "/items/0"),
            ({"items": [{**one, "correction": True, "reason": "  "}]}, "/items/0"),
            ({"items": [{**one, "amount": "1.00"}]}, "/items/0/amount"),
        ):
            reply = acme.admin.post("/reconcile", body)
            assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, place)

    def test_is_not_for_employees(self, acme: Cast) -> None:
        mina = seller(acme)
        caller = key(acme.id, Role.EMPLOYEE, mina)
        assert caller.post("/reconcile", {"items": [item(sale(acme, mina))]}).status == 403


class TestAtOnce:
    def test_one_of_two_contradicting_calls_wins_each_sale(self, acme: Cast) -> None:
        sellers = [seller(acme) for _ in range(3)]
        sale_ids = [sale(acme, sellers[n % 3]) for n in range(30)]

        def send(status: str) -> list[str]:
            return results(
                reconcile(acme, *(item(one, status) for one in sale_ids[:: 1 if status == "approved" else -1]))
            )

        with ThreadPoolExecutor(4) as pool:
            results_of_calls = list(pool.map(send, ["approved", "declined"] * 2))
        # the first call decided all; the other of its kind changed nothing, and the two others met a conflict
        assert sorted({tuple(set(one)) for one in results_of_calls}) == [("conflict",), ("ok",), ("unchanged",)]
        approved = sql(acme, "select count(*) from sale_decisions where status = 'approved'")[0][0]
        assert approved in (0, 30)
        assert sum(payable(acme, one) for one in sellers) == approved * 40

    def test_a_correction_counts_once(self, acme: Cast) -> None:
        mina = seller(acme)
        sale_id = sale(acme, mina)
        decide(acme, "approved", sale_id)
        with ThreadPoolExecutor(4) as pool:
            results_of_calls = list(pool.map(lambda _: results(reconcile(acme, fix(sale_id, "declined")))[0], range(4)))
        assert sorted(results_of_calls) == ["ok", "unchanged", "unchanged", "unchanged"]
        assert payable(acme, mina) == 0

    def test_a_sale_decided_before_the_run_reached_it_has_no_advance(self, acme: Cast) -> None:
        # The run has locked its employees' accounts; then a new seller gets a sale, decided while the run posts.
        karim = seller(acme)
        sale(acme, karim)
        with (
            ThreadPoolExecutor(1) as pool,
            job_scope(acme.id, name="run", now=clock.now(), origin=Origin("-")) as scope,
        ):
            held = accounts.lock_range(scope, **EVERYBODY)
            mina = seller(acme)
            sale_id = sale(acme, mina)
            run_statement(scope.session, actions.ADVANCE, {**actions.advance_values(scope), "user_ids": held})
            # would wait for the run if the run had touched Mina's money
            assert pool.submit(decide, acme, "approved", sale_id).result(timeout=10) == {"ok": 1}
        assert booked(acme, sale_id) == ["approve/1 sales_cost to payable 40.00"]
        assert payable(acme, karim) == 4

    def test_a_decision_waits_for_the_run_that_locked_the_account(self, acme: Cast) -> None:
        mina = seller(acme)
        sale_id = sale(acme, mina)
        with ThreadPoolExecutor(1) as pool:
            with job_scope(acme.id, name="run", now=clock.now(), origin=Origin("-")) as scope:
                held = accounts.lock_range(scope, **EVERYBODY)
                waiting = pool.submit(decide, acme, "approved", sale_id)
                until_lock_wait(acme)
                run_statement(scope.session, actions.ADVANCE, {**actions.advance_values(scope), "user_ids": held})
            assert waiting.result(timeout=10) == {"ok": 1}
        assert booked(acme, sale_id)[1:] == [
            "approve/1 sales_cost to advances 4.00",
            "approve/1 sales_cost to payable 36.00",
        ]
