"""Delivery of payouts: each answer of a provider, no answer, and what the retry schedule does as time passes."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from chalicelib.backing import clock, queues
from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.payouts.delivery import rules as delivery_rules
from chalicelib.features.payouts.delivery.providers import (
    Abilities,
    Answer,
    CameBack,
    NotSent,
    Paid,
    PaymentOrder,
    PayoutRefused,
    Provider,
    Unclear,
    UnknownReference,
)
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.kernel.errors import Busy
from tests.support.cast import Cast, platform_admin
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
from tests.support.people import sql
from tests.support.stack import Stack

D = Decimal
DAY = timedelta(hours=24)
SETTLED = {"cash BDT": D("-40.00"), "sales_cost BDT": D("40.00")}
OWED = {"payable BDT": D("-40.00"), "sales_cost BDT": D("40.00")}


@dataclass
class Fake:
    """A test double of an adapter: it gives the answers that a test prepares, and records its calls."""

    abilities: Abilities
    sends: list[Answer | Exception] = field(default_factory=list)
    finds: list[Answer] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def send(self, order: PaymentOrder, *, now: datetime) -> Answer:
        self.calls.append("send")
        self.keys.append(order.reference)
        answer = self.sends.pop(0) if self.sends else Unclear("no answer")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def find(self, order: PaymentOrder, *, now: datetime) -> Answer:
        self.calls.append("find")
        return self.finds.pop(0) if self.finds else Unclear("no answer")

    def movements(self, tenant_id: UUID, *, since: datetime, credentials: object = None) -> list[Any]:
        return []


Faked = Callable[..., Fake]
PAID = Paid("theirs-1", D("40.00"), "BDT")


@pytest.fixture(name="faked")
def _faked(monkeypatch: pytest.MonkeyPatch) -> Faked:
    """Register a test double in the place of the simulated provider."""

    def make(*, keys: timedelta | None = None, supports_lookup: bool = False, **answers: Any) -> Fake:
        fake = Fake(Abilities(keeps_keys_for=keys, supports_lookup=supports_lookup), **answers)
        registered = {**providers.registry(), "simulated": Provider(fake.abilities, fake)}
        monkeypatch.setattr(providers, "registry", lambda: registered)
        return fake

    return make


@contextmanager
def asleep(**gone: float) -> Any:
    """Let a worker sleep for so long; no other clock moves."""
    with mock.patch.object(clock, "now", return_value=datetime.now(UTC) + timedelta(**gone)):
        yield


def queued(cast: Cast, behaviour: str | None = None) -> dict[str, Any]:
    """Make a payout of 40.00 whose message no worker has received yet."""
    user_id = seller(cast, behaviour)
    earned(cast, user_id)
    start(cast, "final")
    return only(cast, user_id)


def claim(cast: Cast, payout: dict[str, Any]) -> SideEffect:
    """Claim a payout as a worker that has not called the provider yet."""
    with worker(cast) as scope:
        side_effect = delivery_actions.take_next_step(scope, UUID(payout["id"]))
    assert side_effect is not None
    return side_effect


def settle(cast: Cast, side_effect: SideEffect, answer: Answer) -> SideEffect | None:
    with worker(cast) as scope:
        return side_effect.settle(scope, answer)


@contextmanager
def worker(cast: Cast) -> Any:
    with job_scope(cast.id, name="payouts", now=clock.now(), origin=Origin("-")) as scope:
        yield scope


def minutes_to_next_attempt(cast: Cast, payout: dict[str, Any]) -> float:
    [row] = sql(
        cast,
        "select extract(epoch from look_at - clock_timestamp()) / 60 as left from payouts where id = :id",
        id=payout["id"],
    )
    return round(float(row.left), 1)


class TestAccepted:
    def test_is_paid_and_has_a_history_of_each_step(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "accept")
        assert (payout["status"], payout["problem"]) == ("paid", None)
        assert steps(payout) == ["made queued", "sent sending", "answered paid"]
        assert [(a["number"], a["what"], a["outcome"]) for a in payout["attempts"]] == [(1, "sent", "paid")]
        assert payout["provider_reference"]
        assert books(acme) == SETTLED

    def test_needs_no_destination(self, acme: Cast, running: Stack) -> None:
        assert paid(acme, running)["status"] == "paid"

    def test_is_asked_about_once_more_a_day_later(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running)
        pass_time(acme, hours=23)
        assert look(running) == 0
        pass_time(acme, hours=1)
        assert look(running) == 1
        assert steps(whole(acme, payout["id"]))[3:] == ["asked paid", "answered paid"]
        pass_time(acme, days=30)
        assert look(running) == 0
        assert moved(acme) == [(D("40.00"), "accepted")]

    def test_is_not_changed_when_its_message_comes_again(self, acme: Cast, running: Stack) -> None:
        # or the check of a day later would be spent at once, and money that comes back would never be noticed
        payout = paid(acme, running, "late_return")
        with worker(acme) as scope:
            assert delivery_actions.take_next_step(scope, UUID(payout["id"])) is None
        assert steps(whole(acme, payout["id"])) == ["made queued", "sent sending", "answered paid"]


class TestRefused:
    def test_gives_the_money_back_and_the_next_run_pays_anew(self, acme: Cast, running: Stack) -> None:
        first = paid(acme, running, "refuse")
        assert (first["status"], first["problem"]) == ("failed", "refused: account unknown")
        assert [(line["event"], line["debit"], line["credit"]) for line in first["ledger"]] == [
            ("payout", "payable", "cash"),
            ("release", "cash", "payable"),
        ]
        assert books(acme) == OWED
        to = {"kind": "simulated", "behaviour": "accept"}
        acme.admin.ok("PUT", f"/users/{first['user_id']}/payout-destination", to)
        run(acme, running, "final")
        assert listed(acme) == [("40.00", "failed"), ("40.00", "paid")]
        second = acme.admin.ok("GET", "/payouts")["items"][1]
        assert second["reference"] != first["reference"]
        assert books(acme) == SETTLED


class TestTimedOut:
    def test_before_acceptance_is_asked_about_and_sent_again_under_its_key(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "timeout_before")
        assert (payout["status"], payout["problem"]) == ("unknown", "no answer within 30 s")
        assert (moved(acme), payable(acme, payout["user_id"])) == ([], 0)
        assert look(running) == 0
        pass_time(acme, minutes=1)
        assert look(running) == 1
        assert steps(whole(acme, payout["id"])) == [
            "made queued",
            "sent sending",
            "answered unknown",
            "asked unknown",
            "sent sending",
            "answered paid",
        ]
        assert moved(acme) == [(D("40.00"), "accepted")]
        assert books(acme) == SETTLED

    @pytest.mark.parametrize("behaviour", ["timeout_after", "error_after"])
    def test_after_acceptance_is_asked_about_and_not_sent_again(
        self, acme: Cast, running: Stack, behaviour: str
    ) -> None:
        payout = paid(acme, running, behaviour)
        assert payout["status"] == "unknown"
        assert [attempt["outcome"] for attempt in payout["attempts"]] == ["unknown"]
        run(acme, running, "final")
        assert (listed(acme), payable(acme, payout["user_id"])) == ([("40.00", "unknown")], 0)
        pass_time(acme, minutes=1)
        look(running)
        assert steps(whole(acme, payout["id"]))[2:] == ["answered unknown", "asked unknown", "answered paid"]
        assert moved(acme) == [(D("40.00"), "accepted")]

    def test_is_asked_about_at_once_by_a_retry(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "timeout_after")
        assert acme.admin.ok("POST", f"/payouts/{payout['id']}/retry")["id"] == payout["id"]
        running.drain()
        assert whole(acme, payout["id"])["status"] == "paid"


class TestOtherwise:
    def test_paid_twice_by_the_provider_is_one_payout_here(self, acme: Cast, running: Stack) -> None:
        paid(acme, running, "duplicate")
        assert listed(acme) == [("40.00", "paid")]
        assert len(moved(acme)) == 2  # the check of movements says so

    def test_another_amount_is_for_a_person(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "other_amount")
        assert (payout["status"], payout["problem"]) == (
            "review",
            "the provider says it paid 80.00 BDT instead of 40.00 BDT",
        )
        assert payout["provider_reference"]
        assert payable(acme, payout["user_id"]) == 0
        pass_time(acme, days=100)
        assert look(running) == 0

    def test_money_that_comes_back_late_is_owed_again(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "late_return")
        assert (payout["status"], payable(acme, payout["user_id"])) == ("paid", 0)
        pass_time(acme, hours=24)
        look(running)
        back = whole(acme, payout["id"])
        assert (back["status"], back["problem"]) == ("returned", "came back: account closed")
        assert books(acme) == OWED

    def test_money_that_came_back_before_we_knew_it_had_left(self, acme: Cast, running: Stack, faked: Faked) -> None:
        faked(supports_lookup=True, finds=[CameBack("account closed")])
        payout = paid(acme, running)
        pass_time(acme, minutes=1)
        look(running)
        assert steps(whole(acme, payout["id"]))[-3:] == ["asked unknown", "answered paid", "answered returned"]
        assert books(acme) == OWED

    def test_a_provider_that_takes_its_word_back_is_not_asked_for_ever(
        self, acme: Cast, running: Stack, faked: Faked
    ) -> None:
        fake = faked(keys=DAY, supports_lookup=True, sends=[PAID], finds=[PayoutRefused("never heard of them")])
        payout = paid(acme, running)
        pass_time(acme, hours=24)
        look(running)
        after = whole(acme, payout["id"])
        assert (after["status"], after["problem"]) == ("paid", "the provider says now: refused: never heard of them")
        pass_time(acme, days=1)
        assert look(running) == 0
        assert fake.calls == ["send", "find"]


class TestRetrySchedule:
    WAITS = (1, 5, 60, 360, 1440, 1440, 1440)

    def test_is_followed_while_the_provider_does_not_answer_and_ends_in_review(
        self, acme: Cast, running: Stack, faked: Faked
    ) -> None:
        fake = faked(supports_lookup=True)
        payout = paid(acme, running)
        for wait in self.WAITS:  # together 79 hours; 72 are over at the last
            assert whole(acme, payout["id"])["status"] == "unknown"
            assert minutes_to_next_attempt(acme, payout) == wait
            pass_time(acme, minutes=wait)
            assert look(running) == 1
        after = whole(acme, payout["id"])
        assert (after["status"], after["problem"]) == ("review", "no answer; find out whether it was paid, and say so")
        assert fake.calls == ["send", *["find"] * 7]
        assert payable(acme, payout["user_id"]) == 0
        pass_time(acme, days=30)
        assert look(running) == 0

    def test_is_followed_where_the_payout_is_sent_again_too(self, acme: Cast, running: Stack, faked: Faked) -> None:
        # 23 h 13 min after it was first sent, its key may not be used any more
        fake = faked(keys=DAY, supports_lookup=True, finds=[UnknownReference()] * 9)
        payout = paid(acme, running)
        for wait in self.WAITS:
            assert minutes_to_next_attempt(acme, payout) == wait
            pass_time(acme, minutes=wait)
            look(running)
        assert whole(acme, payout["id"])["status"] == "review"
        assert fake.calls == ["send", *["find", "send"] * 4, *["find"] * 3]
        assert len(set(fake.keys)) == 1


class TestKey:
    @pytest.mark.parametrize(("minutes", "calls"), [(12, ["send", "find", "send"]), (14, ["send", "find"])])
    def test_is_used_again_only_while_it_is_young(
        self, acme: Cast, running: Stack, faked: Faked, minutes: int, calls: list[str]
    ) -> None:
        fake = faked(keys=DAY, supports_lookup=True, finds=[UnknownReference(), UnknownReference()])
        payout = paid(acme, running)
        pass_time(acme, hours=23, minutes=minutes)
        look(running)
        assert (fake.calls, whole(acme, payout["id"])["status"]) == (calls, "unknown")

    def test_is_checked_again_directly_before_the_call(self, acme: Cast, running: Stack, faked: Faked) -> None:
        # claimed while it was young, by a worker that then slept for longer than the provider keeps it
        fake = faked(keys=DAY, supports_lookup=True, sends=[Unclear("no answer")], finds=[UnknownReference()])
        payout = paid(acme, running)
        pass_time(acme, minutes=1)
        asking = claim(acme, payout)
        again = settle(acme, asking, asking.call())
        assert again is not None
        with asleep(hours=24):
            answer = again.call()
        assert answer == NotSent("the worker was too slow to send it safely")
        assert fake.calls == ["send", "find"]
        settle(acme, again, answer)
        assert whole(acme, payout["id"])["status"] == "unknown"

    @pytest.mark.parametrize(("slept", "age", "may"), [
        (timedelta(seconds=59), timedelta(hours=23, minutes=14), True),
        (timedelta(seconds=61), timedelta(minutes=2), False),
        (timedelta(0), timedelta(hours=23, minutes=15), False),
        (timedelta(0), timedelta(hours=40), False),
    ])  # fmt: skip
    def test_rule(self, slept: timedelta, age: timedelta, may: bool) -> None:
        now = datetime(2026, 1, 5, 12, tzinfo=UTC)
        assert delivery_rules.may_send(now=now, claimed_at=now - slept, first_sent_at=now - age, keeps_for=DAY) is may

    def test_survives_a_worker_whose_clock_is_ten_minutes_off(self, acme: Cast, running: Stack) -> None:
        user_id = seller(acme)
        earned(acme, user_id)
        for off in (10, -10):
            with asleep(minutes=off):
                run(acme, running, "final")
        assert listed(acme) == [("40.00", "paid")]


class TestLease:
    def test_keeps_others_away_until_it_ends(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        claim(acme, payout)
        with pytest.raises(Busy, match="their lease has not ended"):
            claim(acme, payout)
        running.drain()
        assert whole(acme, payout["id"])["status"] == "sending"

    def test_of_a_worker_that_died_before_the_call_ends_in_asking_and_sending(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        claim(acme, payout)
        pass_time(acme, minutes=2)
        look(running)
        assert steps(whole(acme, payout["id"])) == [
            "made queued",
            "sent sending",
            "answered unknown",
            "asked unknown",
            "sent sending",
            "answered paid",
        ]
        assert moved(acme) == [(D("40.00"), "accepted")]

    def test_of_a_worker_that_died_after_the_call_ends_in_asking(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        claim(acme, payout).call()
        pass_time(acme, minutes=2)
        look(running)
        assert steps(whole(acme, payout["id"]))[-2:] == ["asked unknown", "answered paid"]
        assert moved(acme) == [(D("40.00"), "accepted")]

    def test_of_a_worker_that_died_while_asking_ends_in_asking_again(self, acme: Cast, running: Stack) -> None:
        payout = paid(acme, running, "timeout_after")
        pass_time(acme, minutes=1)
        claim(acme, payout)
        assert look(running) == 0
        pass_time(acme, minutes=2)
        assert look(running) == 1
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_that_is_half_over_lets_nobody_send(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        slow = claim(acme, payout)
        with asleep(seconds=61):
            answer = slow.call()
        assert isinstance(answer, NotSent)
        settle(acme, slow, answer)
        assert (whole(acme, payout["id"])["status"], moved(acme)) == ("queued", [])
        pass_time(acme, minutes=5)
        look(running)
        assert (whole(acme, payout["id"])["status"], len(moved(acme))) == ("paid", 1)


class TestFence:
    def test_lets_a_late_answer_change_nothing(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        slow = claim(acme, payout)
        pass_time(acme, minutes=2)
        look(running)
        before = whole(acme, payout["id"])
        assert before["status"] == "paid"
        for late in (PayoutRefused("account unknown"), Unclear("no answer"), Paid("x", D("40.00"), "BDT")):
            assert settle(acme, slow, late) is None
        assert whole(acme, payout["id"]) == before
        assert books(acme) == SETTLED

    def test_keeps_an_answer_from_settling_what_another_asks_about(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        slow = claim(acme, payout)
        pass_time(acme, minutes=2)
        asking = claim(acme, payout)
        settle(acme, slow, PayoutRefused("account unknown"))
        assert whole(acme, payout["id"])["status"] == "unknown"
        assert settle(acme, asking, Paid("x", D("40.00"), "BDT")) is None
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_distinguishes_two_workers_that_both_send(self, acme: Cast, running: Stack, faked: Faked) -> None:
        # the first slept through its lease; the second asked, and is sending it again
        faked(keys=DAY, supports_lookup=True, finds=[UnknownReference()])
        payout = queued(acme)
        first = claim(acme, payout)
        pass_time(acme, minutes=2)
        asking = claim(acme, payout)
        second = settle(acme, asking, asking.call())
        assert second is not None
        assert whole(acme, payout["id"])["status"] == "sending"
        settle(acme, first, PayoutRefused("account unknown"))
        assert whole(acme, payout["id"])["status"] == "sending"
        settle(acme, second, PAID)
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_does_not_change_what_was_given_to_a_person(self, acme: Cast, running: Stack, faked: Faked) -> None:
        faked()
        payout = queued(acme)
        slow = claim(acme, payout)
        pass_time(acme, minutes=2)
        look(running)
        settle(acme, slow, PayoutRefused("account unknown"))
        assert whole(acme, payout["id"])["status"] == "review"


class TestMessage:
    def test_that_comes_twice_pays_once(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        body = {"tenant_id": str(acme.id), "payout_id": payout["id"]}
        for _ in range(5):
            send(body)
        running.drain()
        assert steps(whole(acme, payout["id"])) == ["made queued", "sent sending", "answered paid"]
        assert len(moved(acme)) == 1

    def test_of_a_payout_that_is_not_there_is_done(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        payout = queued(acme)
        send({"tenant_id": str(zenith.id), "payout_id": payout["id"]})
        send({"tenant_id": str(acme.id), "payout_id": str(UUID(int=5))})
        running.drain()
        assert listed(zenith) == []
        assert running.waiting("payouts") == 0

    def test_that_could_not_be_sent_goes_with_the_outbox(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as down:
            down.setattr(queues, "send_many", mock.Mock(side_effect=OSError("no network")))
            payout = queued(acme)
        sql(acme, "update outbox set created_at = created_at - interval '2 minutes'")
        running.tick("sweep-outbox")
        running.drain()
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_that_was_lost_is_sent_again_five_minutes_later(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        running.sqs.purge_queue(QueueUrl=running.loop._url("wagebook-payouts"))
        sql(acme, "delete from outbox")
        pass_time(acme, minutes=4)
        assert look(running) == 0
        pass_time(acme, minutes=1)
        assert look(running) == 1
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_that_is_poison_keeps_nine_others_of_its_batch_from_nothing(
        self, acme: Cast, running: Stack, faked: Faked
    ) -> None:
        fake = faked(keys=DAY, supports_lookup=True, sends=[PAID] * 4 + [ZeroDivisionError("a bug")] + [PAID] * 5)
        people = [seller(acme) for _ in range(10)]
        for user_id in people:
            earned(acme, user_id)
        start(acme, "final")
        running.drain()
        assert sorted(status for _, status in listed(acme)) == ["paid"] * 9 + ["sending"]
        assert running.waiting("payouts") == 1
        fake.finds = [PAID]
        pass_time(acme, minutes=2)
        look(running)
        assert listed(acme) == [("40.00", "paid")] * 10


class TestProviderWithKeysOnly:
    def test_is_sent_the_same_key_again_and_never_asked(self, acme: Cast, running: Stack, faked: Faked) -> None:
        fake = faked(keys=DAY, sends=[Unclear("HTTP 503"), Unclear("HTTP 503"), PAID])
        payout = paid(acme, running)
        for minutes in (1, 5):
            assert minutes_to_next_attempt(acme, payout) == minutes
            pass_time(acme, minutes=minutes)
            look(running)
        assert (fake.calls, len(set(fake.keys))) == (["send"] * 3, 1)
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_leaves_it_to_a_person_once_the_key_is_old(self, acme: Cast, running: Stack, faked: Faked) -> None:
        fake = faked(keys=DAY)
        payout = paid(acme, running)
        pass_time(acme, hours=24)
        look(running)
        after = whole(acme, payout["id"])
        assert (after["status"], fake.calls) == ("review", ["send"])
        assert after["problem"] == "the provider cannot be asked; find out whether it was paid, and say so"

    def test_waits_while_payouts_are_off(self, acme: Cast, running: Stack, faked: Faked) -> None:
        fake = faked(keys=DAY, sends=[Unclear("HTTP 503"), PAID])
        payout = paid(acme, running)
        policy(acme, payouts_enabled=False)
        pass_time(acme, minutes=1)
        look(running)
        assert (whole(acme, payout["id"])["status"], fake.calls) == ("unknown", ["send"])
        policy(acme, payouts_enabled=True)
        pass_time(acme, minutes=5)
        look(running)
        assert (whole(acme, payout["id"])["status"], fake.calls) == ("paid", ["send", "send"])

    def test_is_not_asked_after_it_paid(self, acme: Cast, running: Stack, faked: Faked) -> None:
        faked(keys=timedelta(days=90), sends=[PAID])
        payout = paid(acme, running)
        pass_time(acme, days=1)
        assert look(running) == 0
        assert whole(acme, payout["id"])["status"] == "paid"


class TestProviderWithLookUpOnly:
    def test_is_sent_it_once_and_then_only_asked(self, acme: Cast, running: Stack, faked: Faked) -> None:
        fake = faked(supports_lookup=True, finds=[UnknownReference(), UnknownReference(), PAID])
        payout = paid(acme, running)
        for minutes in (1, 5, 60):
            pass_time(acme, minutes=minutes)
            look(running)
        assert fake.calls == ["send", "find", "find", "find"]
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_is_left_to_a_person_after_72_hours_of_knowing_nothing(
        self, acme: Cast, running: Stack, faked: Faked
    ) -> None:
        fake = faked(supports_lookup=True, finds=[UnknownReference()] * 2)
        payout = paid(acme, running)
        for hours, status in ((71, "unknown"), (2, "review")):
            pass_time(acme, hours=hours)
            look(running)
            assert whole(acme, payout["id"])["status"] == status
        assert fake.calls == ["send", "find", "find"]
        assert payable(acme, payout["user_id"]) == 0


class TestProviderWithNeither:
    def test_leaves_every_doubt_to_a_person_at_once(self, acme: Cast, running: Stack, faked: Faked) -> None:
        fake = faked()
        assert (paid(acme, running)["status"], fake.calls) == ("review", ["send"])

    def test_is_not_sent_again_after_a_worker_died(self, acme: Cast, running: Stack, faked: Faked) -> None:
        fake = faked()
        payout = queued(acme)
        claim(acme, payout)
        pass_time(acme, minutes=2)
        look(running)
        assert (whole(acme, payout["id"])["status"], fake.calls) == ("review", [])

    def test_refuses_for_good(self, acme: Cast, running: Stack, faked: Faked) -> None:
        faked(sends=[PayoutRefused("no")])
        assert paid(acme, running)["status"] == "failed"
        assert books(acme) == OWED


class TestSwitch:
    def test_off_keeps_what_is_queued_from_being_sent(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        policy(acme, payouts_enabled=False)
        running.drain()
        assert (whole(acme, payout["id"])["status"], moved(acme)) == ("queued", [])
        policy(acme, payouts_enabled=True)
        pass_time(acme, minutes=5)
        look(running)
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_off_still_asks_about_what_was_sent_and_sends_nothing_again(self, acme: Cast, running: Stack) -> None:
        after, before = paid(acme, running, "timeout_after"), paid(acme, running, "timeout_before")
        policy(acme, payouts_enabled=False)
        pass_time(acme, minutes=1)
        look(running)
        assert whole(acme, after["id"])["status"] == "paid"
        assert (whole(acme, before["id"])["status"], len(moved(acme))) == ("unknown", 1)

    def test_off_for_a_suspended_tenant_too(self, acme: Cast, running: Stack) -> None:
        payout = queued(acme)
        root = platform_admin()
        root.ok("PATCH", f"/tenants/{acme.id}", {"status": "suspended"})
        running.drain()
        root.ok("PATCH", f"/tenants/{acme.id}", {"status": "active"})
        assert (whole(acme, payout["id"])["status"], moved(acme)) == ("queued", [])

    def test_off_keeps_no_doubt_from_being_asked_about(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # what waits for the switch is due all the time, and there may be more of it than one sweep takes
        payout = paid(acme, running, "timeout_after")
        for _ in range(3):
            earned(acme, seller(acme))
        start(acme, "final")
        policy(acme, payouts_enabled=False)
        running.drain()
        sql(acme, "update payouts set look_at = look_at - interval '1 hour' where status = 'queued'")
        pass_time(acme, minutes=5)
        monkeypatch.setattr("chalicelib.features.payouts.runs.schedules.AT_ONCE", 2)
        assert look(running) == 2
        assert whole(acme, payout["id"])["status"] == "paid"

    def test_off_for_all_tenants_starts_no_run(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        earned(acme, seller(acme))
        with monkeypatch.context() as off:
            off.setenv("PAYOUTS_ENABLED", "false")
            settings.cache_clear()
            reply = acme.admin.post("/payouts/final/run", headers=once())
            assert reply.status == 409
        settings.cache_clear()
        assert listed(acme) == []


class TestDestination:
    def test_is_the_one_of_when_the_payout_was_made(self, acme: Cast, running: Stack) -> None:
        # somebody may have approved it; whoever changes their bank afterwards is paid there the next time
        payout = queued(acme, "refuse")
        to = {"kind": "simulated", "behaviour": "accept"}
        acme.admin.ok("PUT", f"/users/{payout['user_id']}/payout-destination", to)
        running.drain()
        assert whole(acme, payout["id"])["status"] == "failed"


def send(body: dict[str, Any]) -> None:
    queues.send_many("payouts", [body])


def test_a_call_holds_no_transaction(acme: Cast, running: Stack, faked: Faked) -> None:
    fake = faked(keys=DAY, supports_lookup=True)
    seen: list[str] = []

    def send_and_check(order: PaymentOrder, *, now: datetime) -> Answer:
        seen.append(
            sql(acme, "select status from payouts where reference = :r for update nowait", r=order.reference)[0].status
        )
        return PAID

    fake.send = send_and_check  # type: ignore[method-assign]
    assert paid(acme, running)["status"] == "paid"
    assert seen == ["sending"]
