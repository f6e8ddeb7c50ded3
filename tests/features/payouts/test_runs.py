"""Runs: each employee is paid what they are owed, once, however many runs start at once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from chalicelib.backing import queues
from chalicelib.features.payouts.runs import actions as run_actions
from tests.support.cast import Cast, tenant
from tests.support.payouts import (
    books,
    decide,
    deliver,
    earned,
    listed,
    moved,
    once,
    only,
    payable,
    policy,
    run,
    sale,
    seller,
    start,
    taken,
    whole,
)
from tests.support.people import sql
from tests.support.stack import Stack

D = Decimal
NOTHING = {"payouts": 0, "held": 0, "amounts": {}}
BANK = {"kind": "account", "holder": "Rana", "account_number": "1234567", "bank_code": "175", "country": "BD"}


def jobs(cast: Cast) -> list[tuple[str, str]]:
    return [(one["kind"], one["status"]) for one in cast.admin.ok("GET", "/jobs")["items"]]


class TestAdvance:
    def test_pays_a_part_of_each_pending_sale_once_in_its_life(self, acme: Cast, running: Stack) -> None:
        mina, rana = seller(acme), seller(acme)
        for user_id, earning in ((mina, "40.00"), (mina, "15.50"), (rana, "100.00")):
            sale(acme, user_id, earning)
        assert run(acme, running, "advance") == {"payouts": 2, "held": 0, "amounts": {"BDT": "15.55"}}
        assert sorted(listed(acme)) == [("10.00", "paid"), ("5.55", "paid")]
        assert run(acme, running, "advance") == NOTHING
        sale(acme, mina, "10.00")
        assert run(acme, running, "advance") == {"payouts": 1, "held": 0, "amounts": {"BDT": "1.00"}}
        assert len(moved(acme)) == 3

    def test_pays_whatever_else_is_owed_along_with_it(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        earned(acme, mina, "7.00")
        sale(acme, mina, "40.00")
        run(acme, running, "advance")
        assert listed(acme) == [("11.00", "paid")]
        assert [line["event"] for line in only(acme, mina)["lines"]] == ["approve", "advance"]

    @pytest.mark.parametrize(
        ("rate", "paid"), [("0", []), ("1", [("40.00", "paid")]), ("0.333333", [("13.33", "paid")])]
    )
    def test_goes_by_the_tenants_rate(self, acme: Cast, running: Stack, rate: str, paid: list[Any]) -> None:
        policy(acme, advance_rate=rate)
        sale(acme, seller(acme))
        run(acme, running, "advance")
        assert listed(acme) == paid

    def test_that_would_be_less_than_the_smallest_coin_is_none(self, acme: Cast, running: Stack) -> None:
        sale(acme, seller(acme), "0.09")
        assert run(acme, running, "advance") == NOTHING
        assert books(acme) == {}

    def test_does_nothing_where_nothing_is_to_do(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        sale(zenith, seller(zenith))
        assert run(acme, running, "advance") == NOTHING
        assert listed(zenith) == []


class TestFinal:
    def test_pays_what_was_decided(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        earned(acme, mina, "40.00")
        sale(acme, mina, "99.00")
        assert run(acme, running, "final") == {"payouts": 1, "held": 0, "amounts": {"BDT": "40.00"}}
        assert run(acme, running, "final") == NOTHING
        assert books(acme) == {"cash BDT": D("-40.00"), "sales_cost BDT": D("40.00")}

    def test_carries_a_debt_along_until_it_is_earned_back(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        first = sale(acme, mina, "100.00")
        run(acme, running, "advance")
        decide(acme, "declined", first)
        assert payable(acme, mina) == D("-10.00")
        for earning, left in (("4.00", "-6.00"), ("5.00", "-1.00")):
            earned(acme, mina, earning)
            assert run(acme, running, "final") == NOTHING
            assert payable(acme, mina) == D(left)
        earned(acme, mina, "31.00")
        run(acme, running, "final")
        assert listed(acme) == [("10.00", "paid"), ("30.00", "paid")]
        last = acme.admin.ok("GET", "/payouts")["items"][-1]
        assert [line["amount"] for line in whole(acme, last["id"])["lines"]] == ["-10.00", "4.00", "5.00", "31.00"]
        assert payable(acme, mina) == 0

    def test_waits_for_the_minimum(self, acme: Cast, running: Stack) -> None:
        policy(acme, minimum_payout="50.00")
        mina = seller(acme)
        earned(acme, mina, "49.99")
        assert run(acme, running, "final") == NOTHING | {"waiting": {"below_minimum": 1}}
        earned(acme, mina, "0.01")
        run(acme, running, "final")
        assert listed(acme) == [("50.00", "paid")]

    def test_pays_nobody_into_a_bank_without_an_account(self, acme: Cast, running: Stack) -> None:
        policy(acme, payout_provider="bank_file")
        mina, rana = seller(acme), seller(acme, payout_destination=BANK)
        earned(acme, mina)
        earned(acme, rana)
        run(acme, running, "final")
        assert [(one["user_id"], one["status"]) for one in acme.admin.ok("GET", "/payouts")["items"]] == [
            (rana, "queued")
        ]
        assert payable(acme, mina) == D("40.00")
        [job] = acme.admin.ok("GET", "/jobs")["items"]
        assert job["result"]["waiting"] == {"without_bank_details": 1}
        acme.admin.ok("PUT", f"/users/{mina}/payout-destination", BANK)
        run(acme, running, "final")
        assert len(listed(acme)) == 2


class TestCurrencies:
    @pytest.mark.parametrize(("currency", "earning", "advance", "rest"), [
        ("JPY", "1999", "199", "1800"),  # 199.9 rounded down; the yen has no decimals
        ("BDT", "33.33", "3.33", "30.00"),
        ("BDT", "0.19", "0.01", "0.18"),
        ("KWD", "12.345", "1.234", "11.111"),
        ("KWD", "0.019", "0.001", "0.018"),
    ])  # fmt: skip
    def test_are_rounded_down_to_their_smallest_coin(
        self, running: Stack, database: object, currency: str, earning: str, advance: str, rest: str
    ) -> None:
        cast = tenant("Acme", currency=currency)
        mina = seller(cast)
        first = sale(cast, mina, earning)
        run(cast, running, "advance")
        decide(cast, "approved", first)
        run(cast, running, "final")
        assert listed(cast) == [(advance, "paid"), (rest, "paid")]
        assert sum(amount for amount, _ in moved(cast)) == D(earning)

    def test_of_one_person_are_paid_apart(self, acme: Cast, running: Stack) -> None:
        policy(acme, minimum_payout="50.00")  # of BDT
        mina = seller(acme)
        for earning, currency in (("60.00", "BDT"), ("20.00", "USD"), ("500", "JPY"), ("1.005", "KWD")):
            earned(acme, mina, earning, currency=currency)
        assert run(acme, running, "final")["amounts"] == {"BDT": "60.00", "JPY": "500", "KWD": "1.005", "USD": "20.00"}
        by_currency = {one["currency"]: one for one in acme.admin.ok("GET", "/payouts")["items"]}
        for currency, one in by_currency.items():
            assert [line["amount"] for line in whole(acme, one["id"])["lines"]] == [one["amount"]], currency
        assert [payable(acme, mina, currency) for currency in by_currency] == [0] * 4

    def test_net_no_debt_of_another(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        lost = sale(acme, mina, "100.00", currency="USD")
        run(acme, running, "advance")
        decide(acme, "declined", lost)
        earned(acme, mina, "40.00")
        run(acme, running, "final")
        assert [(one["currency"], one["amount"]) for one in acme.admin.ok("GET", "/payouts")["items"]] == [
            ("USD", "10.00"),
            ("BDT", "40.00"),
        ]
        assert payable(acme, mina, "USD") == D("-10.00")


class TestRequest:
    def test_needs_a_key_and_answers_alike_when_it_comes_again(self, acme: Cast, running: Stack) -> None:
        earned(acme, seller(acme))
        assert acme.admin.post("/payouts/final/run").status == 422
        headers = once()
        first = acme.admin.ok("POST", "/payouts/final/run", headers=headers)
        assert acme.admin.ok("POST", "/payouts/final/run", headers=headers) == first
        assert [kind for kind, _ in jobs(acme)] == ["final-payouts"]

    def test_that_is_clicked_twice_pays_once(self, acme: Cast, running: Stack) -> None:
        earned(acme, seller(acme))
        with ThreadPoolExecutor(2) as clicks:
            list(clicks.map(lambda _: start(acme, "final"), range(2)))
        running.drain()
        assert listed(acme) == [("40.00", "paid")]
        assert len(moved(acme)) == 1

    def test_is_refused_in_words_while_payouts_are_off(self, acme: Cast, running: Stack) -> None:
        policy(acme, payouts_enabled=False)
        for kind in ("advance", "final"):
            reply = acme.admin.post(f"/payouts/{kind}/run", headers=once())
            assert reply.status == 409
            assert reply.json["detail"] == (
                "Payouts are switched off; PATCH /tenant with policy.payouts_enabled true switches them on."
            )
        assert jobs(acme) == []

    def test_is_kept_in_the_audit(self, acme: Cast, running: Stack) -> None:
        job_id = start(acme, "final")
        [entry] = acme.admin.ok("GET", "/audit-logs?action=payouts.run")["items"]
        assert (entry["entity_id"], entry["after"]) == (job_id, {"kind": "final-payouts"})


class TestChunks:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_actions, "CHUNK_PEOPLE", 2)

    def test_pay_everybody_once(self, acme: Cast, running: Stack) -> None:
        for _ in range(5):
            sale(acme, seller(acme))
        job_id = start(acme, "advance")
        assert acme.admin.ok("GET", f"/jobs/{job_id}")["status"] == "running"
        running.drain()
        job = acme.admin.ok("GET", f"/jobs/{job_id}")
        assert (job["status"], job["progress"]) == ("succeeded", {"done": 5, "total": 5})
        assert job["result"] == {"payouts": 5, "held": 0, "amounts": {"BDT": "20.00"}}
        assert listed(acme) == [("4.00", "paid")] * 5

    def test_that_come_twice_and_out_of_order_pay_once(self, acme: Cast, running: Stack) -> None:
        for _ in range(5):
            earned(acme, seller(acme))
        job_id = start(acme, "final")
        chunks = taken(running, "payout-runs")
        assert [chunk["chunk"] for chunk in chunks] == [0, 1, 2]
        assert deliver(*reversed(chunks), *chunks) == []
        running.drain()
        assert acme.admin.ok("GET", f"/jobs/{job_id}")["result"]["payouts"] == 5
        assert listed(acme) == [("40.00", "paid")] * 5

    def test_at_once_on_several_workers_pay_once(self, acme: Cast, running: Stack) -> None:
        for _ in range(8):
            earned(acme, seller(acme))
        job_id = start(acme, "final")
        chunks = taken(running, "payout-runs") * 2
        with ThreadPoolExecutor(8) as workers:
            assert list(workers.map(deliver, chunks)) == [[]] * 8
        running.drain()
        assert acme.admin.ok("GET", f"/jobs/{job_id}")["status"] == "succeeded"
        assert listed(acme) == [("40.00", "paid")] * 8

    @pytest.mark.parametrize("after", ["pay_chunk", "finish_chunk"])
    def test_of_which_one_is_killed_are_done_by_those_that_come_again(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch, after: str
    ) -> None:
        for _ in range(5):
            earned(acme, seller(acme))
        job_id = start(acme, "final")
        first, second, third = taken(running, "payout-runs")
        assert deliver(first) == []
        where = run_actions if after == "pay_chunk" else run_actions.progress
        with monkeypatch.context() as kill:
            done = getattr(where, after)

            def killed(*said: Any, **more: Any) -> None:
                done(*said, **more)
                raise KeyboardInterrupt

            kill.setattr(where, after, killed)
            with pytest.raises(KeyboardInterrupt):
                deliver(second)
        assert len(listed(acme)) == 2
        assert deliver(second, third) == []
        running.drain()
        assert acme.admin.ok("GET", f"/jobs/{job_id}")["result"] == {
            "payouts": 5,
            "held": 0,
            "amounts": {"BDT": "200.00"},
        }
        assert listed(acme) == [("40.00", "paid")] * 5

    def test_that_died_between_commit_and_sending_are_sent_by_the_sweepers(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(5):
            earned(acme, seller(acme))
        with monkeypatch.context() as down:
            down.setattr(queues, "send_many", mock.Mock(side_effect=OSError("no network")))
            start(acme, "final")
        running.drain()
        assert listed(acme) == []
        sql(acme, "update outbox set created_at = created_at - interval '2 minutes'")
        running.tick("sweep-outbox")
        running.drain()
        assert listed(acme) == [("40.00", "paid")] * 5

    def test_that_are_reached_after_payouts_were_switched_off_pay_nothing(self, acme: Cast, running: Stack) -> None:
        for _ in range(5):
            earned(acme, seller(acme))
        job_id = start(acme, "final")
        first, *others = taken(running, "payout-runs")
        assert deliver(first) == []
        policy(acme, payouts_enabled=False)
        assert deliver(*others) == []
        assert acme.admin.ok("GET", f"/jobs/{job_id}")["result"]["payouts"] == 2
        assert listed(acme) == [("40.00", "queued")] * 2
        assert books(acme)["payable BDT"] == D("-120.00")
        policy(acme, payouts_enabled=True)
        run(acme, running, "final")
        assert books(acme) == {"cash BDT": D("-200.00"), "sales_cost BDT": D("200.00")}
