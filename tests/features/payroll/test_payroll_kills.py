"""A month's payroll, killed at one statement or commit after the other: what is left undone is done again, once.

Every message comes at least twice. The kill is an exception that nothing of the product catches, so that the
transaction under way is lost and whoever asked has to ask again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from chalicelib.backing import clock, outbox
from chalicelib.backing.database import engine
from chalicelib.entry import messages
from chalicelib.entry.registry import CONSUMERS
from chalicelib.features.payouts.runs import actions as payouts
from chalicelib.features.payroll.approval import posting
from chalicelib.features.payroll.runs import calculation as run_calculation
from chalicelib.identity.scope import Origin
from tests.features.payroll.test_payroll_runs import WORKING, component, hire
from tests.support.cast import Cast, tenant
from tests.support.people import sql

SAMPLE = int(os.environ.get("KILLS", "12"))  # points of a run, spread evenly; a run has some hundreds
LEFT_ALONE = {"payouts", "payslip-documents", "notifications", "webhooks"}  # sending has its crash laboratory


OUTCOME = {
    "run": "select status from payroll_runs",
    "slips": "select u.name, gross, deductions, taxes, net, amounts from payslips p join users u on u.id = p.user_id"
             " order by 1",
    "booked": "select u.name, event, line, debit, credit, amount from ledger_entries e"
              " join users u on u.id = e.user_id where event = 'payroll' order by 1, 3",
    "owed": "select kind, sum(balance) from ledger_accounts group by 1 order by 1",
    "paid": "select u.name, amount, status from payouts p join users u on u.id = p.user_id order by 1",
}  # fmt: skip


class Killed(BaseException):
    """Nothing of the product catches it."""


class Reaper:
    """Counts statements and commits, and kills at one of them, once."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.seen = 0
        self.killed = 0

    def look(self, *_said: Any) -> None:
        self.seen += 1
        if self.seen == self.at:
            self.killed += 1
            raise Killed

    @contextmanager
    def watching(self) -> Iterator[None]:
        event.listen(engine(), "before_cursor_execute", self.look)
        event.listen(engine(), "commit", self.look)
        try:
            yield
        finally:
            event.remove(engine(), "before_cursor_execute", self.look)
            event.remove(engine(), "commit", self.look)


def surely(work: Callable[[], Any]) -> Any:
    """Do something, again if it was killed."""
    try:
        return work()
    except Killed:
        return work()


def deliver(queue: str, message: dict[str, Any]) -> None:
    messages.process_message(
        CONSUMERS[queue].function, message, name="queue", origin=Origin("kill"), send=lambda left: None
    )


def work_off(company: Cast) -> None:
    """Do what is in the outbox, each message twice, until nothing new comes."""
    done: set[UUID] = set()
    while waiting := [
        row
        for row in surely(partial(sql, company, "select id, queue, body from outbox order by created_at, id"))
        if row.id not in done and row.queue not in LEFT_ALONE
    ]:
        for row in waiting:
            message = {**row.body, "tenant_id": str(company.id)}
            for _ in range(2):
                surely(partial(deliver, row.queue, message))
            done.add(row.id)


def month(reaper: Reaper) -> dict[str, list[Any]]:
    """Run January for a company of seven, and say what came out."""
    company = tenant("Acme")
    for number in range(7):
        hire(company, f"P{number}", f"E-{number}", f"{15000 + 100 * number}", days=WORKING[: 15 + number])
    component(company, "House rent", "earning", "percentage", percent=50)
    component(company, "Tax", "tax", "percentage", percent=10, base="gross")
    component(company, "Loan", "deduction", "fixed", amount="100.00")
    company.admin.ok("PATCH", "/tenant", {"policy": {"payout_provider": "manual"}})
    run = company.hr.ok("POST", "/payroll-runs", {"month": "2026-01"})["id"]
    with reaper.watching():
        for caller, verb in ((company.hr, "calculate"), (company.admin, "approve"), (company.hr, "pay")):
            surely(partial(caller.ok, "POST", f"/payroll-runs/{run}/{verb}", headers={"idempotency-key": verb}))
            work_off(company)
        # handed over by somebody, who confirms each: the run is paid with the last
        for payout in surely(partial(company.admin.ok, "GET", "/payouts"))["items"]:
            confirmed = partial(company.admin.ok, "POST", f"/payouts/{payout['id']}/confirm", {"reference": "cash"})
            surely(confirmed)
            work_off(company)
    return {name: [tuple(one) for one in sql(company, asked)] for name, asked in OUTCOME.items()}


@pytest.fixture(autouse=True)
def _small(database: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 2, 2, 6, tzinfo=UTC))
    monkeypatch.setattr(outbox, "send", lambda left: 0)
    monkeypatch.setattr(run_calculation, "CHUNK_EMPLOYEES", 3)
    monkeypatch.setattr(posting, "CHUNK_PEOPLE", 3)
    monkeypatch.setattr(payouts, "CHUNK_PEOPLE", 3)


def test_a_month_comes_out_the_same_wherever_it_is_killed() -> None:
    undisturbed = Reaper(None)
    wanted = month(undisturbed)
    assert wanted["run"] == [("paid",)]
    assert len(wanted["slips"]) == len(wanted["paid"]) == 7
    assert sum(amount for _, amount in wanted["owed"]) == 0
    rng = Random(20260131)
    width = undisturbed.seen / SAMPLE
    for number in range(SAMPLE):
        at = int(number * width) + 1 + rng.randrange(max(1, int(width)))
        reaper = Reaper(at)
        assert month(reaper) == wanted, f"killed at {at} of {undisturbed.seen}"
        assert reaper.killed == (at <= reaper.seen)
