"""The outbox: messages are sent after the commit, all of them, and again if it is unknown whether they were."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.backing import clock, outbox, queues
from chalicelib.features.console.schedules import sweep_outbox
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from infra.local.lambda_events import scheduled_event
from tests.support.cast import Cast, platform_admin
from tests.support.people import employee, sql

QUEUE = "balances"
pytestmark = pytest.mark.usefixtures("database")


def waiting(sqs: Any) -> list[dict[str, Any]]:
    """Receive what is on the queue."""
    got = sqs.receive_message(QueueUrl=queues.url_of(QUEUE), MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in got]


def unsent(cast: Cast) -> int:
    return sql(cast, "select count(*) from outbox where sent_at is null")[0][0]


def put(cast: Cast, *bodies: dict[str, Any]) -> Scope:
    """Commit messages as an entry point does, without sending them: a crash between commit and send."""
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
        scope.send(QUEUE, bodies)
    return scope


def later(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


@pytest.fixture(autouse=True)
def _nothing_left(acme: Cast, zenith: Cast) -> Any:
    yield
    for cast in (acme, zenith):
        sql(cast, "delete from outbox")


class TestSend:
    def test_of_one_that_is_too_long_sends_its_neighbours(self, acme: Cast, sqs: Any) -> None:
        scope = put(acme, {"n": 1}, {"n": 2, "long": "x" * 1_100_000}, {"n": 3})
        outbox.send(scope.outgoing)
        assert [one["n"] for one in waiting(sqs)] == [1, 3]
        assert unsent(acme) == 1

    def test_that_cannot_mark_one_tenants_marks_the_others(self, acme: Cast, zenith: Cast, sqs: Any) -> None:
        scopes = [put(cast, {"n": 1}) for cast in (acme, zenith)]
        mark = outbox._mark_sent

        def fails_for_acme(tenant_id: Any, ids: Any) -> None:
            if tenant_id == acme.id:
                raise OSError("the database is away")
            mark(tenant_id, ids)

        with mock.patch.object(outbox, "_mark_sent", fails_for_acme):
            assert outbox.send([one for scope in scopes for one in scope.outgoing]) == 2
        assert (len(waiting(sqs)), unsent(acme), unsent(zenith)) == (2, 1, 0)

    def test_follows_the_commit(self, acme: Cast, sqs: Any) -> None:
        scope = put(acme, {"n": 1}, {"n": 2})
        assert (waiting(sqs), unsent(acme)) == ([], 2)
        outbox.send(scope.outgoing)
        assert waiting(sqs) == [{"n": 1, "tenant_id": str(acme.id)}, {"n": 2, "tenant_id": str(acme.id)}]
        assert unsent(acme) == 0

    def test_of_a_change_that_was_rolled_back_sends_nothing(self, acme: Cast, sqs: Any) -> None:
        with suppress(ZeroDivisionError), job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            scope.send(QUEUE, [{"n": 1}])
            raise ZeroDivisionError
        assert sql(acme, "select 1 from outbox") == []
        assert sweep_outbox_at(later(5)) == 0
        assert waiting(sqs) == []

    def test_that_fails_does_not_undo_the_request(self, acme: Cast, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        people = [str(employee(acme, employee_no=f"E-{n}")) for n in range(2)]
        monkeypatch.setattr("chalicelib.features.pay_register.calculation.CHUNK_EMPLOYEES", 1, raising=False)
        monkeypatch.setattr(queues, "send_many", broken)
        assert acme.hr.post("/pay-register/2026-01/sync", {"user_ids": people}).status == 202


class TestMany:
    def test_go_ten_to_a_call_in_their_tenants_group(self, acme: Cast, zenith: Cast, sqs: Any) -> None:
        bodies = [{"tenant_id": str(cast.id), "n": n} for n, cast in enumerate([acme, zenith] * 11)]
        calls = mock.Mock(wraps=queues.client().send_message_batch)
        with mock.patch.object(queues.client(), "send_message_batch", calls):
            assert queues.send_many(QUEUE, bodies) == [True] * 22
        assert [len(call.kwargs["Entries"]) for call in calls.call_args_list] == [10, 10, 2]
        groups = [entry["MessageGroupId"] for call in calls.call_args_list for entry in call.kwargs["Entries"]]
        assert groups == [str(acme.id), str(zenith.id)] * 11
        assert [body["n"] for _ in range(3) for body in waiting(sqs)] == list(range(22))

    def test_of_nothing_calls_no_queue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queues, "client", broken)
        assert queues.send_many(QUEUE, []) == []

    def test_of_which_one_is_refused_leaves_that_one_to_the_sweeper(self, acme: Cast, sqs: Any) -> None:
        scope = put(acme, *({"n": n} for n in range(13)))
        whole = queues.client().send_message_batch

        def refuses_two(**arguments: Any) -> Any:
            poison = [e for e in arguments["Entries"] if json.loads(e["MessageBody"])["n"] in (4, 12)]
            kept = [e for e in arguments["Entries"] if e not in poison]
            answer = whole(**{**arguments, "Entries": kept})
            return {**answer, "Failed": [{"Id": e["Id"], "SenderFault": False, "Code": "Throttled"} for e in poison]}

        with mock.patch.object(queues.client(), "send_message_batch", refuses_two):
            assert outbox.send(scope.outgoing) == 11
        left = sql(acme, "select body from outbox where sent_at is null order by id")
        assert [row.body["n"] for row in left] == [4, 12]
        assert sweep_outbox_at(later(1.5)) == 2
        assert sorted(body["n"] for _ in range(2) for body in waiting(sqs)) == list(range(13))

    def test_of_several_queues_lets_one_in_trouble_keep_no_other_from_going(self, acme: Cast, sqs: Any) -> None:
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            scope.send("no-such-queue", [{"n": 1}])
            scope.send(QUEUE, [{"n": 2}])
        assert outbox.send(scope.outgoing) == 1
        assert ([body["n"] for body in waiting(sqs)], unsent(acme)) == ([2], 1)


class TestSweep:
    def test_sends_a_minute_later_what_a_crash_left(self, acme: Cast, zenith: Cast, sqs: Any) -> None:
        put(acme, {"n": 1})
        put(zenith, {"n": 2})
        assert sweep_outbox_at(later(0.5)) == 0
        assert sweep_outbox_at(later(1.5)) == 2
        assert sorted(message["n"] for message in waiting(sqs)) == [1, 2]
        assert (unsent(acme), unsent(zenith)) == (0, 0)
        assert sweep_outbox_at(later(3)) == 0

    def test_sends_again_what_may_have_been_sent(self, acme: Cast, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        scope = put(acme, {"n": 1})
        with monkeypatch.context() as crash:
            crash.setattr(outbox, "transaction", broken)
            assert outbox.send(scope.outgoing) == 1
        assert unsent(acme) == 1
        assert sweep_outbox_at(later(1.5)) == 1
        assert [message["n"] for message in waiting(sqs)] == [1, 1]

    def test_twice_at_the_same_moment_is_harmless(self, acme: Cast, sqs: Any) -> None:
        put(acme, {"n": 1})
        outbox.sweep(now=later(1.5))
        outbox.sweep(now=later(1.5))
        assert len(waiting(sqs)) == 1

    def test_forgets_what_was_sent_a_week_ago(self, acme: Cast, sqs: Any) -> None:
        outbox.send(put(acme, {"n": 1}).outgoing)
        put(acme, {"n": 2})
        outbox.sweep(now=later(60 * 24 * 8))
        assert [row.body["n"] for row in sql(acme, "select body from outbox")] == [2]

    def test_keeps_what_could_not_be_sent(self, acme: Cast, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        put(acme, {"n": 1})
        with monkeypatch.context() as down:
            down.setattr(queues, "send_many", broken)
            assert outbox.sweep(now=later(1.5)) == 0
        assert unsent(acme) == 1
        assert outbox.sweep(now=later(2.5)) == 1
        assert [message["n"] for message in waiting(sqs)] == [1]

    def test_lets_one_poisonous_message_keep_no_other_from_going(self, acme: Cast, sqs: Any) -> None:
        sql(acme, "insert into outbox (tenant_id, queue, body) values (:t, 'no-such-queue', '{}')", t=acme.id)
        put(acme, {"n": 1})
        assert outbox.sweep(now=later(1.5)) == 1
        assert [message["n"] for message in waiting(sqs)] == [1]
        assert unsent(acme) == 1

    def test_lets_a_queue_in_trouble_with_many_keep_no_other_from_going(self, acme: Cast, sqs: Any) -> None:
        for _ in range(5):
            sql(acme, "insert into outbox (tenant_id, queue, body) values (:t, 'no-such-queue', '{}')", t=acme.id)
        put(acme, *({"n": n} for n in range(5)))
        assert outbox.sweep(now=later(1.5), limit=2) == 5
        assert sorted(message["n"] for message in waiting(sqs)) == list(range(5))

    def test_ends_after_a_while_and_goes_on_at_the_next_round(
        self, acme: Cast, sqs: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbox, "SWEEPS_FOR", -1)
        put(acme, *({"n": n} for n in range(3)))
        assert [outbox.sweep(now=later(1.5), limit=2) for _ in range(3)] == [2, 1, 0]


class TestLag:
    def test_is_of_what_should_have_gone_and_did_not(
        self, acme: Cast, sqs: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        put(acme, {"n": 1}, {"n": 2})
        with monkeypatch.context() as down:
            down.setattr(queues, "send_many", broken)
            outbox.sweep(now=later(1.5))
        outbox.sweep(now=later(1.5))
        assert lags(capsys) == [2, 0]

    def test_is_not_of_what_a_suspension_parks(
        self, acme: Cast, zenith: Cast, sqs: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        put(acme, {"n": 1}, {"n": 2}, {"n": 3})
        put(zenith, {"n": 4})
        platform_admin().patch(f"/tenants/{acme.id}", {"status": "suspended"})
        monkeypatch.setattr(queues, "send_many", broken)
        outbox.sweep(now=later(60 * 24))
        assert lags(capsys) == [1]

    def test_is_over_at_once_when_a_suspension_with_many_ends(
        self, acme: Cast, sqs: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        put(acme, *({"n": n} for n in range(7)))
        platform_admin().patch(f"/tenants/{acme.id}", {"status": "suspended"})
        assert outbox.sweep(now=later(60), limit=2) == 0
        platform_admin().patch(f"/tenants/{acme.id}", {"status": "active"})
        assert outbox.sweep(now=later(61), limit=2) == 7
        assert lags(capsys) == [0, 0]


def lags(capsys: pytest.CaptureFixture[str]) -> list[float]:
    """Return the values of the metric OutboxLag that the sweeps wrote."""
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "OutboxLag" in line]
    return [value for one in metrics for value in one["OutboxLag"]]


def sweep_outbox_at(now: datetime) -> int:
    """Run the schedule's handler as Lambda does, at this moment."""
    with mock.patch.object(clock, "now", return_value=now):
        return sweep_outbox(scheduled_event("sweep-outbox", now), None)["found"]


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError
