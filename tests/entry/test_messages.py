"""Consumers of queues: a message fails alone, a fault is not retried, a final failure is reported."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg.errors as pg
import pytest
from botocore.exceptions import EndpointConnectionError
from chalice import Blueprint
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chalicelib.backing import queues
from chalicelib.entry import messages
from chalicelib.entry.messages import SideEffect
from chalicelib.entry.registry import CONSUMERS
from chalicelib.identity.scope import Origin, Scope
from chalicelib.jobs import progress
from chalicelib.kernel.errors import Busy, Conflict, NotFound
from infra.local.lambda_events import Context
from tests.support.cast import Cast
from tests.support.people import row, sql

QUEUE = "test-queue"


@pytest.fixture(name="rests")
def _rests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Record which messages are delayed, and after how many attempts."""
    noted: list[tuple[str, int]] = []
    monkeypatch.setattr(queues, "back_off", lambda _, *, receipt, receives: noted.append((receipt, receives)))
    return noted


@pytest.fixture(name="consumer")
def _consumer() -> Iterator[Callable[..., Any]]:
    """Register a function as a consumer, as a feature does, and unregister it."""

    def make(function: Callable[..., None], **options: Any) -> Any:
        return messages.consumes(Blueprint(__name__), QUEUE, **options)(function)

    yield make
    CONSUMERS.pop(QUEUE, None)


def deliver(consumer: Any, bodies: list[Any], receives: int = 1) -> list[str]:
    """Deliver a batch as Lambda does, and return the ids of the messages that failed."""
    records = [
        {
            "messageId": f"m{n}",
            "receiptHandle": f"r{n}",
            "body": body if isinstance(body, str) else json.dumps(body),
            "attributes": {"ApproximateReceiveCount": str(receives)},
        }
        for n, body in enumerate(bodies)
    ]
    answer = consumer({"Records": records}, Context("queue"))
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def add_department(scope: Scope, *, message: dict[str, Any]) -> None:
    """Write one row, or fail as the message's name says."""
    scope.session.execute(
        text("insert into departments (tenant_id, name) values (:tenant_id, :name)"),
        {"tenant_id": scope.tenant_id, "name": message["name"]},
    )
    if error := {
        "crash": ZeroDivisionError("a bug"),
        "fact": Conflict("It is locked."),
        "gone": NotFound("None."),
        "busy": Busy("Later."),
    }.get(message["name"]):
        raise error


def names(cast: Cast) -> list[str]:
    return [name for (name,) in sql(cast, "select name from departments order by name")]


def _away(**_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://sqs.example")


def bodies_for(cast: Cast, *names: str) -> list[dict[str, str]]:
    return [{"tenant_id": str(cast.id), "name": name} for name in names]


class TestBatch:
    def test_loses_only_the_message_that_fails(self, acme: Cast, consumer: Any, rests: list) -> None:
        batch = bodies_for(acme, "0", "1", "2", "crash", "4", "5", "6", "7", "8", "9")
        assert deliver(consumer(add_department), batch, receives=2) == ["m3"]
        assert names(acme) == ["0", "1", "2", "4", "5", "6", "7", "8", "9"]
        assert rests == [("r3", 2)]

    @pytest.mark.parametrize("body", [
        {"name": "crash"}, {"name": "busy"}, "nonsense", '{"Type": 1}',
    ], ids=str)  # fmt: skip
    @pytest.mark.parametrize("in_words_of_aws", [False, True])
    def test_settles_its_neighbours_where_a_failed_one_cannot_be_let_rest(
        self, acme: Cast, consumer: Any, sqs: Any, monkeypatch: pytest.MonkeyPatch, body: Any, in_words_of_aws: bool
    ) -> None:
        monkeypatch.setattr(queues.client(), "change_message_visibility", _away)
        options = {"messages_in": lambda body: [body.get("x", body)]} if in_words_of_aws else {}
        bad = body if isinstance(body, str) else {"tenant_id": str(acme.id), **body}
        batch = [*bodies_for(acme, "0"), bad, *bodies_for(acme, "2")]
        sqs.create_queue(QueueName=queues.configured_name(QUEUE))
        assert deliver(consumer(add_department, **options), batch) == ["m1"]
        assert names(acme) == ["0", "2"]

    def test_settles_its_neighbours_where_a_record_is_none(self, acme: Cast, consumer: Any, rests: list) -> None:
        handler = consumer(add_department)
        records = [
            {"messageId": f"m{n}", "receiptHandle": "r", "body": json.dumps(one), "attributes": {}}
            for n, one in enumerate(bodies_for(acme, "0", "1"))
        ]
        records[1]["attributes"] = {"ApproximateReceiveCount": "1"}
        assert handler({"Records": records}, Context("queue")) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
        assert names(acme) == ["1"]

    def test_of_two_tenants_writes_each_for_its_own(self, acme: Cast, zenith: Cast, consumer: Any, rests: list) -> None:
        assert deliver(consumer(add_department), bodies_for(acme, "A") + bodies_for(zenith, "Z")) == []
        assert (names(acme), names(zenith)) == (["A"], ["Z"])

    @pytest.mark.parametrize(
        "body", ["", "{", "[]", "1", "{}", '{"tenant_id": "acme"}', '{"tenant_id": null}', '{"tenant_id": 5}']
    )
    def test_retries_a_message_that_is_none(self, acme: Cast, consumer: Any, rests: list, body: str) -> None:
        assert deliver(consumer(add_department), [body, *bodies_for(acme, "A")]) == ["m0"]
        assert names(acme) == ["A"]
        assert rests == [("r0", 1)]

    def test_is_done_with_a_message_of_no_tenant(self, acme: Cast, consumer: Any, rests: list) -> None:
        assert deliver(consumer(add_department), [{"tenant_id": str(uuid4()), "name": "A"}]) == []
        assert rests == []


class TestFact:
    @pytest.mark.parametrize("name", ["fact", "gone"])
    def test_is_done_and_not_retried(self, acme: Cast, consumer: Any, rests: list, name: str) -> None:
        reasons: list[str] = []
        handler = consumer(add_department, when_failed=lambda _, *, message, why: reasons.append(why))
        assert deliver(handler, bodies_for(acme, name)) == []
        assert (names(acme), rests) == ([], [])
        assert reasons == ["It is locked." if name == "fact" else "None."]

    def test_of_being_busy_comes_back(self, acme: Cast, consumer: Any, rests: list) -> None:
        reasons: list[str] = []
        handler = consumer(add_department, when_failed=lambda _, *, message, why: reasons.append(why))
        assert deliver(handler, bodies_for(acme, "busy")) == ["m0"]
        assert (names(acme), rests, reasons) == ([], [("r0", 1)], [])

    def test_of_a_deadlock_comes_back(self, acme: Cast, consumer: Any, rests: list) -> None:
        tries: list[int] = []

        def loses_once(scope: Scope, *, message: dict[str, Any]) -> None:
            tries.append(1)
            if len(tries) == 1:
                raise OperationalError("update", {}, pg.DeadlockDetected())
            add_department(scope, message=message)

        handler = consumer(loses_once)
        assert deliver(handler, bodies_for(acme, "A")) == ["m0"]
        assert deliver(handler, bodies_for(acme, "A"), receives=2) == []
        assert names(acme) == ["A"]


class TestLastTry:
    def job(self, cast: Cast, status: str = "running") -> str:
        return str(row(cast, "jobs", {"kind": "test", "status": status}))

    def outcome(self, cast: Cast) -> list[Any]:
        return [tuple(row) for row in sql(cast, "select status, error from jobs")]

    def test_fails_the_job(self, acme: Cast, consumer: Any, rests: list) -> None:
        handler = consumer(add_department, when_failed=progress.fail)
        message = {**bodies_for(acme, "crash")[0], "job_id": self.job(acme)}
        assert deliver(handler, [message], receives=4) == ["m0"]
        assert self.outcome(acme) == [("running", None)]
        assert deliver(handler, [message], receives=5) == ["m0"]
        assert self.outcome(acme) == [("failed", "It failed 5 times; see the logs for message m0.")]

    def test_leaves_a_job_that_succeeded_alone(self, acme: Cast, consumer: Any, rests: list) -> None:
        handler = consumer(add_department, when_failed=progress.fail)
        message = {**bodies_for(acme, "crash")[0], "job_id": self.job(acme, "succeeded")}
        deliver(handler, [message], receives=5)
        assert self.outcome(acme) == [("succeeded", None)]

    def test_of_a_fact_fails_the_job_at_once(self, acme: Cast, consumer: Any, rests: list) -> None:
        handler = consumer(add_department, when_failed=progress.fail)
        deliver(handler, [{**bodies_for(acme, "fact")[0], "job_id": self.job(acme)}])
        assert self.outcome(acme) == [("failed", "It is locked.")]

    def test_survives_a_failure_handler_that_fails(self, acme: Cast, consumer: Any, rests: list) -> None:
        handler = consumer(add_department, when_failed=progress.fail)
        assert (
            deliver(handler, [{**bodies_for(acme, "crash")[0], "job_id": "none"}, *bodies_for(acme, "A")], receives=5)
            == ["m0", "m1"][:1]
        )
        assert names(acme) == ["A"]


class TestSideEffect:
    """Side effects: a transaction, an external call without one, and a transaction that settles the answer."""

    def side_effect(self, answers: list[str], seen: list[Any], acme: Cast) -> Callable[..., SideEffect]:
        """Write `began`, then make one external call after the other and write each answer."""

        def ask(rest: list[str]) -> SideEffect:
            def call() -> str:
                seen.append(names(acme))
                if rest[0] == "crash":
                    raise ZeroDivisionError
                return rest[0]

            def settle(scope: Scope, answer: str) -> SideEffect | None:
                add_department(scope, message={"name": answer})
                return ask(rest[1:]) if rest[1:] else None

            return SideEffect(call, settle)

        def begin(scope: Scope, *, message: dict[str, Any]) -> SideEffect:
            add_department(scope, message=message)
            return ask(answers)

        return begin

    def test_asks_after_the_commit_and_settles_in_a_transaction_of_its_own(
        self, acme: Cast, consumer: Any, rests: list
    ) -> None:
        seen: list[Any] = []
        handler = consumer(self.side_effect(["answer"], seen, acme))
        assert deliver(handler, bodies_for(acme, "began")) == []
        assert (seen, names(acme)) == ([["began"]], ["answer", "began"])

    def test_leads_to_further_ones_each_between_two_commits(self, acme: Cast, consumer: Any, rests: list) -> None:
        seen: list[Any] = []
        handler = consumer(self.side_effect(["1", "2", "3"], seen, acme))
        assert deliver(handler, bodies_for(acme, "began")) == []
        assert seen == [["began"], ["1", "began"], ["1", "2", "began"]]
        assert names(acme) == ["1", "2", "3", "began"]

    def test_that_is_killed_in_the_call_keeps_what_was_committed_before(
        self, acme: Cast, consumer: Any, rests: list
    ) -> None:
        handler = consumer(self.side_effect(["1", "crash"], [], acme))
        assert deliver(handler, bodies_for(acme, "began")) == ["m0"]
        assert (names(acme), rests) == (["1", "began"], [("r0", 1)])

    def test_that_cannot_be_settled_undoes_only_the_settling(self, acme: Cast, consumer: Any, rests: list) -> None:
        def begin(scope: Scope, *, message: dict[str, Any]) -> SideEffect:
            add_department(scope, message=message)
            return SideEffect(lambda: "crash", lambda scope, answer: add_department(scope, message={"name": answer}))

        assert deliver(consumer(begin), bodies_for(acme, "began")) == ["m0"]
        assert names(acme) == ["began"]

    def test_is_not_run_where_the_first_transaction_fails(self, acme: Cast, consumer: Any, rests: list) -> None:
        seen: list[Any] = []
        handler = consumer(self.side_effect(["answer"], seen, acme))
        assert deliver(handler, bodies_for(acme, "crash")) == ["m0"]
        assert (seen, names(acme)) == ([], [])

    def test_whose_settling_is_a_fact_is_done(self, acme: Cast, consumer: Any, rests: list) -> None:
        def begin(scope: Scope, *, message: dict[str, Any]) -> SideEffect:
            return SideEffect(lambda: "fact", lambda scope, answer: add_department(scope, message={"name": answer}))

        assert deliver(consumer(begin), bodies_for(acme, "began")) == []
        assert (names(acme), rests) == ([], [])

    def test_sends_after_each_commit_what_it_left(self, acme: Cast) -> None:
        sent: list[list[int]] = []

        def begin(scope: Scope, *, message: dict[str, Any]) -> SideEffect:
            scope.send(QUEUE, [{"n": 1}])
            return SideEffect(lambda: None, lambda scope, _: scope.send(QUEUE, [{"n": 2}]))

        messages.process_message(
            begin,
            {"tenant_id": str(acme.id)},
            name="test",
            origin=Origin("-"),
            send=lambda left: sent.append([one.body["n"] for one in left]),
        )
        assert sent == [[1], [2]]

    def test_reads_the_tenant_and_the_clock_anew_for_the_answer(self, acme: Cast) -> None:
        moments: list[Any] = []

        def begin(scope: Scope, *, message: dict[str, Any]) -> SideEffect:
            moments.append((scope.tenant.name, scope.now))
            return SideEffect(
                lambda: sql(acme, "update tenants set name = 'Renamed' where id = :id", id=acme.id),
                lambda scope, _: moments.append((scope.tenant.name, scope.now)),
            )

        messages.process_message(begin, {"tenant_id": str(acme.id)}, name="test", origin=Origin("-"))
        (before, began), (after, ended) = moments
        assert (before, after) == ("Acme", "Renamed")
        assert began < ended


class TestForeignBody:
    """Events of AWS have bodies of AWS's form: one body may be about several tenants, or none."""

    def consumer(self, consumer: Any) -> Any:
        """Consume bodies such as {"Records": [{"bucket": tenant, "key": name}, ...]}."""

        def messages_in(body: dict[str, Any]) -> list[dict[str, Any]]:
            return [{"tenant_id": record["bucket"], "name": record["key"]} for record in body["Records"]]

        return consumer(add_department, messages_in=messages_in)

    def body(self, *records: tuple[Cast, str]) -> dict[str, Any]:
        return {"Records": [{"bucket": str(cast.id), "key": name} for cast, name in records]}

    def test_is_worked_on_in_the_scope_of_each_tenant_that_it_concerns(
        self, acme: Cast, zenith: Cast, consumer: Any, rests: list
    ) -> None:
        assert deliver(self.consumer(consumer), [self.body((acme, "A"), (zenith, "Z"), (acme, "B"))]) == []
        assert (names(acme), names(zenith), rests) == (["A", "B"], ["Z"], [])

    def test_without_records_is_done(self, acme: Cast, consumer: Any, rests: list) -> None:
        assert deliver(self.consumer(consumer), [{"Records": []}]) == []
        assert rests == []

    def test_of_which_one_part_fails_comes_back_and_the_others_are_done(
        self, acme: Cast, zenith: Cast, consumer: Any, rests: list
    ) -> None:
        batch = [self.body((acme, "crash"), (zenith, "Z")), self.body((acme, "A"))]
        assert deliver(self.consumer(consumer), batch, receives=2) == ["m0"]
        assert (names(acme), names(zenith), rests) == (["A"], ["Z"], [("r0", 2)])

    def test_of_which_one_part_is_a_fact_is_done(self, acme: Cast, zenith: Cast, consumer: Any, rests: list) -> None:
        assert deliver(self.consumer(consumer), [self.body((acme, "fact"), (zenith, "Z"))]) == []
        assert (names(acme), names(zenith), rests) == ([], ["Z"], [])

    @pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"Records": [{}]}', '{"tenant_id": "acme"}'])
    def test_of_another_form_is_retried(self, acme: Cast, consumer: Any, rests: list, body: str) -> None:
        assert deliver(self.consumer(consumer), [body, self.body((acme, "A"))]) == ["m0"]
        assert (names(acme), rests) == (["A"], [("r0", 1)])


class TestBackOff:
    def test_lets_a_message_rest_longer_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        waits = []

        class Client:
            def change_message_visibility(self, **arguments: Any) -> None:
                waits.append(arguments["VisibilityTimeout"])

        monkeypatch.setattr(queues, "client", Client)
        monkeypatch.setattr(queues, "url_of", str)
        for receives in (1, 2, 3, 4, 5, 9):
            queues.back_off("q", receipt="r", receives=receives)
        assert waits == [10, 40, 160, 640, 900, 900]
