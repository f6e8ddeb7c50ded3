"""A steady load: API functions in processes of their own, as in Lambda, each call due at a moment of its own.

A call is timed from when it was due, so that those that had to wait behind a slow one are counted as slow, too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from queue import Empty
from typing import Any
from unittest import mock
from uuid import uuid4

from chalicelib.backing import log, queues
from infra.labs.drills import surroundings
from infra.labs.drills.company import Caller
from infra.labs.drills.steps import DrillFailure
from infra.labs.load.figures import Answer
from infra.local import lambda_events
from infra.local.events import Consumer, EventLoop

TIMEOUT = 60.0
QUEUES = ("payout-runs", "payouts")
WARM = 40  # calls of each worker that do not count: imports, connections


@dataclass
class Load:
    """The workers' answers, once they have ended."""

    answers: Sequence[Answer] = ()
    retried: Sequence[str] = ()  # why messages failed at the first attempt
    waiting_for_retry: int = 0  # messages that waited for their next attempt when the load ended


@contextmanager
def running(
    application_url: str, key: str, people: Sequence[str], *, workers: int, per_second: float
) -> Iterator[Load]:
    """Start the workers, wait until all are warm, and end them after the block; the load is filled then."""
    context = get_context("spawn")
    stopping, warm, results = context.Event(), context.Semaphore(0), context.Queue()
    processes = [
        context.Process(
            target=_work,
            args=(application_url, key, list(people), workers / per_second, stopping, warm, results),
            daemon=True,
        )
        for _ in range(workers)
    ]
    load = Load()
    for process in processes:
        process.start()
    try:
        for _ in processes:
            if not warm.acquire(timeout=TIMEOUT):
                raise DrillFailure("a worker of the load did not start")
        yield load
        stopping.set()
        try:
            reports = [results.get(timeout=TIMEOUT) for _ in processes]
        except Empty:
            raise DrillFailure("a worker of the load did not end") from None
        load.answers = sorted((one for answers, *_ in reports for one in answers), key=lambda one: one.due)
        load.retried = [why for _, retried, _ in reports for why in retried]
        load.waiting_for_retry = sum(waiting for *_, waiting in reports)
    finally:
        stopping.set()
        for process in processes:
            process.join(5)
            process.kill()


def _work(url: str, key: str, people: list[str], pause: float, stopping: Event, warm: Any, results: Any) -> None:
    with surroundings.product() as loop:
        surroundings.use(url)
        calls = Calls(Caller(key), people, loop)
        for number in range(WARM):
            calls.next(number)
        warm.release()
        answers, due, number = [], time.monotonic(), WARM
        while not stopping.is_set():
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))
            what, status, problem = calls.next(number)
            answers.append(Answer(what, due, time.monotonic() - due, status, problem))
            number += 1
        results.put((answers, calls.retried, calls.waiting_for_retry()))


class Calls:
    """What a worker calls, in turn: reads and writes of the tables that migrations change, and what follows them."""

    def __init__(self, caller: Caller, people: list[str], loop: EventLoop) -> None:
        self.caller, self.people, self.loop = caller, people, loop
        self.name, self.sale_id, self.retried = uuid4().hex[:8], "", list[str]()
        # only the queues that these calls fill: asking all of them would be most of the work
        loop.consumers = [self._record_failures(one) for one in loop.consumers if one.queue.endswith(QUEUES)]
        self.turns: list[tuple[str, Callable[[int], tuple[int, Any]]]] = [
            ("POST /sales", self._sell),
            ("GET /sales/{sale_id}", lambda _: self._get("/sales/{sale_id}", sale_id=self.sale_id)),
            ("GET /sales", lambda _: self._get("/sales", query={"limit": "20"})),
            ("POST /reconcile", self._decide),
            ("GET /users/{user_id}/balance", lambda n: self._get("/users/{user_id}/balance", user_id=self._user(n))),
            ("GET /payouts", lambda _: self._get("/payouts", query={"limit": "20"})),
            ("POST /payouts/final/run", self._pay),
        ]

    def next(self, number: int) -> tuple[str, int, str]:
        """Make the next call of the turn; one that raises has failed."""
        what, call = self.turns[number % len(self.turns)]
        try:
            status, answer = call(number)
        except Exception as error:
            return what, 0, f"{type(error).__name__}: {error}"
        return what, status, "" if status < 300 else str(answer)

    def waiting_for_retry(self) -> int:
        """Process all messages, and return how many failed and wait for their next attempt."""
        self.loop.drain(max_seconds=10)
        sqs, names = queues.client(), ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = [
            sqs.get_queue_attributes(QueueUrl=queues.url_of(queue), AttributeNames=names)["Attributes"]
            for queue in QUEUES
        ]
        return sum(int(one[name]) for one in attributes for name in names)

    def _record_failures(self, consumer: Consumer) -> Consumer:
        def handle(event: dict[str, Any], context: lambda_events.Context) -> Any:
            with mock.patch.object(log.logger, "exception", self._record_failure):
                return consumer.handler(event, context)

        return replace(consumer, handler=handle)

    def _record_failure(self, _message: str, **_about: Any) -> None:
        self.retried.append(str(sys.exc_info()[1]).partition("\n")[0])

    def _user(self, number: int) -> str:
        return self.people[number % len(self.people)]

    def _get(self, resource: str, **more: Any) -> tuple[int, Any]:
        return self.caller.ask("GET", resource, **more)

    def _sell(self, number: int) -> tuple[int, Any]:
        body = {"user_id": self._user(number), "external_id": f"{self.name}-{number}", "earning": "40.00"}
        status, answer = self.caller.ask("POST", "/sales", body)
        self.sale_id = str(answer["id"]) if status < 300 else self.sale_id
        return status, answer

    def _decide(self, _: int) -> tuple[int, Any]:
        body = {"items": [{"sale_id": self.sale_id, "status": "approved"}]}
        return self.caller.ask("POST", "/reconcile", body)

    def _pay(self, _: int) -> tuple[int, Any]:
        status, answer = self.caller.ask("POST", "/payouts/final/run", once=str(uuid4()))
        self.loop.drain(max_seconds=10)  # its messages, through the product's own consumers
        return status, answer
