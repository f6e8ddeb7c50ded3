"""The local event loop, with an app of its own and moto's real queues."""

import logging
import sys
import threading
import time
import types
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from chalice import Blueprint, Chalice, Rate

from infra.local import aws
from infra.local.events import EventLoop

BLUEPRINT_MODULE = "a_feature_with_a_consumer"
SOON = 30.0


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 10, 0, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class World:
    """One app with a queue and two schedules; it notes what it was called with."""

    def __init__(self, endpoint: str) -> None:
        self.sqs = aws.client(endpoint, "sqs")
        self.queue = f"wagebook-parcels-{uuid.uuid4().hex[:8]}"
        aws.make_queues(self.sqs, [self.queue])
        self.url = self.sqs.get_queue_url(QueueName=self.queue)["QueueUrl"]
        self.calls: list[tuple[dict[str, Any], Any]] = []
        self.ticks: list[dict[str, Any]] = []
        self.middleware = 0
        self.answer: Any = None
        self.clock = Clock()
        self.loop = EventLoop(self._app(), endpoint=endpoint, clock=self.clock)

    def _app(self) -> Chalice:
        app, blueprint = Chalice("demo"), Blueprint(BLUEPRINT_MODULE)

        def parcels(event: Any) -> Any:
            self.calls.append((event.to_dict(), event.context))
            return self.answer(event.to_dict()) if self.answer else None

        def nightly(event: Any) -> str:
            self.ticks.append(event.to_dict())
            return "done"

        module = types.ModuleType(BLUEPRINT_MODULE)
        module.parcels = blueprint.on_sqs_message(self.queue, batch_size=5, name="take_parcels")(parcels)
        module.nightly = blueprint.schedule("cron(0 1 * * ? *)", name="nightly")(nightly)
        sys.modules[BLUEPRINT_MODULE] = module

        @app.middleware("all")
        def count(event: Any, get_response: Any) -> Any:
            self.middleware += 1
            return get_response(event)

        app.register_blueprint(blueprint)

        @app.schedule(Rate(5, unit=Rate.MINUTES))
        def often(event: Any) -> None:
            self.ticks.append(event.to_dict())
            raise RuntimeError("this one always fails")

        return app

    def send(self, *bodies: str) -> None:
        for body in bodies:
            attributes = {"colour": {"DataType": "String", "StringValue": "red"}}
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, MessageAttributes=attributes)

    def left(self) -> tuple[int, int]:
        """Count the messages that wait, and those that were received and not deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(attributes[names[0]]), int(attributes[names[1]])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with aws.running() as settings:
        yield settings["AWS_ENDPOINT_URL"]


@pytest.fixture
def world(endpoint: str) -> World:
    return World(endpoint)


class TestDrain:
    def test_hands_over_records_as_lambda_does(self, world: World) -> None:
        world.send("hello")
        assert world.loop.drain(SOON) == 1
        (event, context), record = world.calls[0], world.calls[0][0]["Records"][0]
        assert set(event) == {"Records"}
        assert set(record) == {
            "messageId",
            "receiptHandle",
            "body",
            "attributes",
            "messageAttributes",
            "md5OfBody",
            "md5OfMessageAttributes",
            "eventSource",
            "eventSourceARN",
            "awsRegion",
        }
        assert record["body"] == "hello"
        assert record["md5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
        assert record["eventSource"] == "aws:sqs"
        assert record["eventSourceARN"] == f"arn:aws:sqs:eu-central-1:123456789012:{world.queue}"
        assert record["attributes"]["ApproximateReceiveCount"] == "1"
        assert record["attributes"]["SentTimestamp"].isdigit()
        assert record["messageAttributes"]["colour"]["stringValue"] == "red"
        assert context.function_name == "wagebook-local-take_parcels"
        assert 0 < context.get_remaining_time_in_millis() <= 60_000
        assert context.invoked_function_arn.endswith(context.function_name)

    def test_gives_batches_of_the_registered_size_until_nothing_is_left(self, world: World) -> None:
        world.send(*"abcdefg")
        assert world.loop.drain(SOON) == 7
        assert max(len(event["Records"]) for event, _ in world.calls) <= 5
        assert world.left() == (0, 0)

    def test_keeps_only_the_messages_that_are_reported_as_failed(self, world: World) -> None:
        world.answer = lambda event: {
            "batchItemFailures": [
                {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "bad"
            ]
        }
        world.send("good", "bad", "good")
        assert world.loop.drain(SOON) == 2
        assert world.left() == (0, 1)

    def test_keeps_all_when_the_handler_raises(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        world.answer = lambda event: 1 / 0
        world.send("a", "b")
        with caplog.at_level(logging.ERROR):
            assert world.loop.drain(SOON) == 0
        assert "ZeroDivisionError" in caplog.text
        assert world.left() == (0, 2)

    def test_keeps_all_when_an_unknown_message_is_reported(self, world: World) -> None:
        world.answer = lambda event: {"batchItemFailures": [{"itemIdentifier": "unknown"}]}
        world.send("a")
        assert world.loop.drain(SOON) == 0
        assert world.left() == (0, 1)

    def test_runs_no_middleware_around_a_blueprints_handler(self, world: World) -> None:
        world.send("a")
        world.loop.drain(SOON)
        assert world.middleware == 0


class TestTick:
    def test_calls_what_became_due_with_eventbridges_event(self, world: World) -> None:
        assert world.loop.tick() == []
        world.clock.now = datetime(2026, 2, 1, 1, 0, 5, tzinfo=UTC)
        assert world.loop.tick() == ["nightly", "often"]  # often fails, which stops nothing
        event = world.ticks[0]
        assert set(event) == {
            "version",
            "id",
            "detail-type",
            "source",
            "account",
            "time",
            "region",
            "resources",
            "detail",
        }
        assert event["detail-type"] == "Scheduled Event"
        assert event["source"] == "aws.events"
        assert event["time"] == "2026-02-01T01:00:00Z"
        assert event["detail"] == {}
        assert world.loop.tick() == []

    def test_runs_one_schedule_on_request(self, world: World) -> None:
        assert world.loop.run_schedule_once("nightly", datetime(2026, 3, 1, tzinfo=UTC)) == "done"
        assert world.ticks[0]["time"] == "2026-03-01T00:00:00Z"


class TestRun:
    def test_takes_messages_as_they_come_and_stops_within_two_seconds(self, world: World) -> None:
        thread = threading.Thread(target=world.loop.run, daemon=True)
        thread.start()
        world.send("a")
        deadline = time.monotonic() + SOON
        while world.left() != (0, 0) or not world.calls:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        asked = time.monotonic()
        world.loop.stop()
        thread.join(5)
        assert not thread.is_alive()
        assert time.monotonic() - asked < 2


class TestBootstrap:
    def test_may_be_repeated_and_makes_dead_letter_queues(self, endpoint: str) -> None:
        assert aws.bootstrap(endpoint) == aws.bootstrap(endpoint)
        sqs = aws.client(endpoint, "sqs")
        aws.make_queues(sqs, ["wagebook-more"])
        aws.make_queues(sqs, ["wagebook-more"])
        url = sqs.get_queue_url(QueueName="wagebook-more")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["VisibilityTimeout"] == "180"
        assert '"maxReceiveCount": 5' in attributes["RedrivePolicy"]
        assert "wagebook-more-dead" in attributes["RedrivePolicy"]

    def test_makes_logins_whose_tokens_verify(self, endpoint: str) -> None:
        import jwt

        settings = aws.bootstrap(endpoint)
        token = aws.make_login(endpoint, "asha@acme.example", "Correct-horse-1")
        key = jwt.PyJWKClient(settings["OIDC_JWKS_URL"]).get_signing_key_from_jwt(token).key
        claims = jwt.decode(
            token, key, algorithms=["RS256"], issuer=settings["OIDC_ISSUER"], audience=settings["OIDC_AUDIENCE"]
        )
        assert claims["email"] == "asha@acme.example"
        assert claims["email_verified"] == "true"
