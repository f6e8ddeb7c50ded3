"""Do locally what EventBridge and SQS event source mappings do in AWS.

It reads the sources that the app registered, and calls the handlers that the packager would name, with true
events. One handler runs at a time: in Lambda a process never serves two invocations at once, and log keys and
metrics rely on that.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalice.app import Chalice, EventSourceHandler, ScheduledEventConfig, ScheduleExpression, SQSEventConfig

from infra.local import aws, lambda_events, schedules
from infra.local.children import report_ready

LONG_POLL = 10  # seconds
GRACE = 1.5  # seconds a running handler is given at the end; after it, its transaction is rolled back
log = logging.getLogger("wagebook.events")
Handler = Callable[[dict[str, Any], lambda_events.Context], Any]


@dataclass(frozen=True)
class Consumer:
    """A queue's consumer."""

    name: str
    queue: str
    batch_size: int
    handler: Handler


@dataclass(frozen=True)
class Schedule:
    """A schedule of the app."""

    name: str
    expression: str
    handler: Handler


def consumers_of(app: Chalice) -> list[Consumer]:
    """List the app's queue consumers; `queue` is the full name."""
    return [
        Consumer(source.name, _queue_of(source), source.batch_size, _handler(app, source))
        for source in app.event_sources
        if isinstance(source, SQSEventConfig)
    ]


def schedules_of(app: Chalice) -> list[Schedule]:
    """List the app's schedules; an expression that is not understood raises ValueError here."""
    declared_schedules = []
    for source in app.event_sources:
        if isinstance(source, ScheduledEventConfig):
            declared = source.schedule_expression
            expression = declared.to_string() if isinstance(declared, ScheduleExpression) else declared
            schedules.fires_at(expression, datetime.now(UTC))
            declared_schedules.append(Schedule(source.name, expression, _handler(app, source)))
    return declared_schedules


def _queue_of(source: SQSEventConfig) -> str:
    return source.queue or str(source.queue_arn).rpartition(":")[2]


def _handler(app: Chalice, source: Any) -> Handler:
    module, _, name = source.handler_string.rpartition(".")
    if module == "app":
        return app.handler_map[source.name]
    handler = getattr(importlib.import_module(module), name)
    if not isinstance(handler, EventSourceHandler):
        raise TypeError(f"{source.handler_string}, which Lambda would call, is hidden by something of the same name")
    # In Lambda app.py is not imported for these, so the app's middleware never runs around them: nor does it here.
    return EventSourceHandler(handler.func, handler.event_class)


class EventLoop:
    """The event loop: call the app's handlers with messages of queues and at times of schedules."""

    def __init__(
        self, app: Chalice, *, endpoint: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.consumers = consumers_of(app)
        self.schedules = {schedule.name: schedule for schedule in schedules_of(app)}
        self._sqs = aws.client(endpoint, "sqs")
        self._clock = clock
        self._ticked = clock()
        self._turn = threading.Lock()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Poll every queue and tick every schedule until `stop` is called from another thread."""
        for consumer in self.consumers:
            threading.Thread(target=self._follow, args=[consumer], daemon=True, name=consumer.name).start()
        while not self._stopping.wait(1.0):
            self.tick()

    def stop(self) -> None:
        """Take no more work and wait a moment for what is running; the rest comes back later."""
        self._stopping.set()
        self._turn.acquire(timeout=GRACE)  # and is kept: nothing starts any more

    def tick(self) -> list[str]:
        """Call the schedules that became due since the last tick and return their names."""
        now, before = self._clock(), self._ticked
        self._ticked = now
        called = []
        for schedule in self.schedules.values():
            due = schedules.last_due(schedule.expression, before, now)
            if due and not self._stopping.is_set():
                called.append(schedule.name)
                try:
                    self.run_schedule_once(schedule.name, due)
                except Exception:
                    log.exception("schedule %s failed", schedule.name)
        return called

    def run_schedule_once(self, name: str, now: datetime) -> Any:
        """Call one schedule as if it were `now`; return or raise what its handler does."""
        with self._turn:
            event = lambda_events.scheduled_event(name, now)
            return self.schedules[name].handler(event, lambda_events.Context(f"wagebook-local-{name}"))

    def drain(self, max_seconds: float) -> int:
        """Work until no queue has a message that can be received, and return how many were done."""
        deadline = time.monotonic() + max_seconds
        done, has_messages = 0, True
        while has_messages and time.monotonic() < deadline:
            has_messages = False
            for consumer in self.consumers:
                messages = self._receive(consumer, wait=0)
                has_messages = has_messages or bool(messages)
                done += self._handle(consumer, messages) if messages else 0
        return done

    def _follow(self, consumer: Consumer) -> None:
        while not self._stopping.is_set():
            try:
                messages = self._receive(consumer, wait=LONG_POLL)
                if messages:
                    self._handle(consumer, messages)
            except Exception:  # the loop outlives whatever happens to a queue
                if not self._stopping.is_set():
                    log.exception("queue %s", consumer.queue)
                    self._stopping.wait(1.0)

    def _receive(self, consumer: Consumer, *, wait: int) -> list[dict[str, Any]]:
        report_ready = self._sqs.receive_message(
            QueueUrl=self._url(consumer.queue),
            MaxNumberOfMessages=min(consumer.batch_size, 10),
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(report_ready.get("Messages", []))

    def _handle(self, consumer: Consumer, messages: list[dict[str, Any]]) -> int:
        event = lambda_events.queue_event(
            messages, f"arn:aws:sqs:{aws.REGION}:{lambda_events.ACCOUNT}:{consumer.queue}"
        )
        with self._turn:
            try:
                report_ready = consumer.handler(event, lambda_events.Context(f"wagebook-local-{consumer.name}"))
                failed = _failed(report_ready, {message["MessageId"] for message in messages})
            except Exception:
                log.exception("consumer %s failed, with all %d messages", consumer.name, len(messages))
                return 0
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(done)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url(consumer.queue), Entries=entries)
        return len(done)

    def _url(self, queue: str) -> str:
        return f"{self._sqs.meta.endpoint_url}/{lambda_events.ACCOUNT}/{queue}"


def _failed(report_ready: Any, known: set[str]) -> set[str]:
    if not isinstance(report_ready, dict) or not report_ready.get("batchItemFailures"):
        return set()
    failed = {failure.get("itemIdentifier") for failure in report_ready["batchItemFailures"]}
    # Lambda takes an answer that names unknown messages for a failure of all.
    return failed if failed <= known else known


def main(answer_to: str) -> None:
    """Run the loop for the project's app until SIGTERM, after making the queues that it registered."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    loop = EventLoop(importlib.import_module("app").app, endpoint=endpoint)
    aws.make_queues(aws.client(endpoint, "sqs"), (consumer.queue for consumer in loop.consumers))

    def finish() -> None:
        signal.sigwait({signal.SIGTERM})
        loop.stop()
        logging.shutdown()
        os._exit(0)  # pollers sit in a long poll; they hold nothing worth waiting for

    threading.Thread(target=finish, daemon=True).start()
    summary = f"{len(loop.consumers)} queues, {len(loop.schedules)} schedules"
    log.info(summary)
    report_ready(answer_to, summary)
    loop.run()


if __name__ == "__main__":
    # Blocked before any thread is started, so that it reaches the one that waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main(sys.argv[1])
