"""500 sales, 20 workers, two schedulers, every reconcile sent twice at once: each takes effect once."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from queue import Queue
from typing import Any
from unittest import mock

import pytest

from chalicelib.backing import clock, queues
from chalicelib.features.payouts.runs import actions as run_actions
from chalicelib.features.payouts.runs import consumers as run_consumers
from chalicelib.features.payouts.runs import schedules as run_schedules
from infra.local import lambda_events
from tests.support.cast import Cast
from tests.support.payouts import books, moved, seller
from tests.support.people import sql

PEOPLE, SALES_EACH, WORKERS = 50, 10, 20
HANDLERS = {"payout-runs": run_consumers.run_payouts, "payouts": run_consumers.move_payout}


class Workers:
    """Queues without order, and threads that work them off; every message is delivered twice, as SQS may."""

    def __init__(self) -> None:
        self.waiting: Queue[tuple[str, dict[str, Any], int] | None] = Queue()
        self.failed: list[str] = []

    def send_many(self, queue: str, bodies: Sequence[dict[str, Any]]) -> list[bool]:
        for body in bodies:
            if queue in HANDLERS:
                self.waiting.put((queue, body, 1))
                self.waiting.put((queue, body, 1))
        return [True] * len(bodies)

    def work(self) -> None:
        while (taken := self.waiting.get()) is not None:
            try:
                self._deliver(*taken)
            finally:
                self.waiting.task_done()

    def _deliver(self, queue: str, body: dict[str, Any], receives: int) -> None:
        record = {
            "MessageId": "m",
            "ReceiptHandle": "r",
            "Body": json.dumps(body),
            "MD5OfBody": "",
            "Attributes": {"ApproximateReceiveCount": str(receives)},
        }
        event = lambda_events.queue_event([record], f"arn:aws:sqs:eu-central-1:123456789012:wagebook-{queue}")
        if HANDLERS[queue](event, lambda_events.Context("test"))["batchItemFailures"]:
            if receives >= queues.MAX_RECEIVES:
                self.failed.append(queue)
            else:
                time.sleep(0.01 * 4**receives)  # it rests, a thousandth of what it would
                self.waiting.put((queue, body, receives + 1))


@contextmanager
def at_work() -> Iterator[Workers]:
    """Run 20 workers."""
    workers = Workers()
    threads = [threading.Thread(target=workers.work) for _ in range(WORKERS)]
    with mock.patch.object(queues, "send_many", workers.send_many), mock.patch.object(queues, "back_off"):
        for thread in threads:
            thread.start()
        try:
            yield workers
        finally:
            workers.waiting.join()
            for _ in threads:
                workers.waiting.put(None)
            for thread in threads:
                thread.join()


def tick(handler: Any) -> None:
    """Two schedulers at the same minute."""
    event = lambda_events.scheduled_event("x", clock.now())
    with ThreadPoolExecutor(2) as two:
        list(two.map(lambda _: handler(event, None), range(2)))


def sold(cast: Cast) -> list[str]:
    """Note 500 sales of 40.00, ten for each of fifty people."""
    rows = [{"user_id": seller(cast), "earning": "40.00"} for _ in range(PEOPLE)] * SALES_EACH
    assert cast.admin.ok("POST", "/sales/import", rows)["added"] == 500
    return [str(row.id) for row in sql(cast, "select id from sales order by user_id, id")]


def test_five_hundred_take_effect_and_five_hundred_are_unchanged(acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_actions, "CHUNK_PEOPLE", 5)
    sale_ids = sold(acme)
    # of each person's ten, two are declined: 400 x 40.00 = 16000.00 in the end
    items = [
        {"sale_id": sale_id, "status": "declined" if place % 10 in (3, 7) else "approved"}
        for place, sale_id in enumerate(sale_ids)
    ]
    calls = [items[place : place + 10] for place in range(5, 495, 10)] + [items[:5] + items[495:]]
    chance = random.Random(7)
    for call in calls:
        chance.shuffle(call)
    counts: Counter[str] = Counter()
    guard = threading.Lock()

    def reconcile(call: list[dict[str, str]]) -> None:
        outcome = acme.admin.ok("POST", "/reconcile", {"items": call})["counts"]
        with guard:
            counts.update(outcome)

    with at_work() as workers, ThreadPoolExecutor(8) as callers:
        sent = [callers.submit(reconcile, call) for call in chance.sample(calls * 2, k=2 * len(calls))]
        tick(run_schedules.send_advance_runs)
        for one in sent:
            one.result()
    with at_work() as later:
        tick(run_schedules.send_final_runs)
    assert counts == {"ok": 500, "unchanged": 500}
    assert (workers.failed, later.failed) == ([], [])
    assert books(acme) == {"cash BDT": Decimal("-16000.00"), "sales_cost BDT": Decimal("16000.00")}
    assert sql(acme, "select 1 from ledger_accounts where kind = 'payable' and balance <> 0") == []
    assert sql(acme, "select distinct status from payouts") == [("paid",)]
    paid = sql(acme, "select reference, amount from payouts order by reference")
    movements = sql(acme, "select reference, amount from simulated_movements order by reference")
    assert [tuple(one) for one in paid] == [tuple(one) for one in movements]
    assert sum(amount for amount, _ in moved(acme)) == Decimal("16000.00")
    slots = sql(acme, "select kind, count(*) as runs, bool_and(status = 'succeeded') as well from jobs group by kind")
    assert {(one.kind, one.runs, one.well) for one in slots} == {
        ("advance-payouts", 1, True),
        ("final-payouts", 1, True),
    }
