"""The restore drill's company: what it does before the moment, after it, and again after the restore."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from logging import StreamHandler
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from chalicelib.backing import clock, log, queues
from infra.labs.drills import company
from infra.labs.drills.company import MONTH, Company
from infra.labs.drills.steps import DrillFailure, expect
from infra.local.events import EventLoop

SCHEDULES = ("advance-payouts", "final-payouts", "payouts-to-look-at", "sweep-outbox")
EARLY = {"Mina": "40.00", "Farid": "250.00", "Nadia": "999.99"}  # one sale each, advanced and held before the moment
LATE = {"Mina": "60.00", "Selim": "120.00"}  # put in after it; of Selim's payout the provider says nothing
NEW = "80.00"  # the sale that comes when all is well again
HELD_ABOVE = "5000"
LARGE = "9000.00"  # Kazi's, which waits for a second person over the moment


@dataclass
class Story:
    """The company, its people, and its actions."""

    company: Company
    loop: EventLoop
    earned: dict[str, int] = field(default_factory=dict)  # by payroll
    people: dict[str, str] = field(default_factory=dict)  # sellers, by name
    run_id: str = ""

    @classmethod
    def begin(cls, loop: EventLoop) -> Story:
        """Create the company, and do everything up to the moment."""
        story = cls(company.create_company(), loop)
        admin, hr = story.company.admin, story.company.hr
        admin.ok("PATCH", "/tenant", {"policy": {"payout_approval_above": HELD_ABOVE}})
        story.earned = story.company.employees(5)
        hr.ok("POST", "/pay-register/{month}/sync", {}, month=MONTH)
        story.run_id = str(hr.ok("POST", "/payroll-runs", {"month": MONTH})["id"])
        story._work()
        hr.ok("POST", "/payroll-runs/{run_id}/calculate", run_id=story.run_id)
        story._work()
        for name in (*EARLY, "Kazi", "Selim"):
            behaviour = "timeout_after" if name == "Selim" else "accept"
            story.people[name] = story.company.seller(name, behaviour)
        for name, earning in EARLY.items():
            story._sell(name, "early", earning)
        story.company.run("advance")
        story._work()
        story.company.approve(story._sell("Kazi", "large", LARGE))
        story.company.run("final")
        story._work()
        admin.ok("POST", "/payroll-runs/{run_id}/approve", run_id=story.run_id, once=str(uuid4()))
        story._work()  # booked, and not paid yet
        return story

    def go_on(self) -> None:
        """Do what happens after the moment and will be lost."""
        self.do_again(with_new=False)
        awaiting_approval = self.company.admin.ok("GET", "/payouts", query={"status": "held"})["items"]
        for payout in awaiting_approval:
            self.company.second.ok("POST", "/payouts/{payout_id}/approve", payout_id=payout["id"])
        self._work()

    def do_again(self, *, with_new: bool = True) -> None:
        """Do what clients do, and repeat after a loss: what exists already is not changed."""
        sold = [self._sell(name, "early", earning) for name, earning in EARLY.items()]
        sold += [self._sell(name, "late", earning) for name, earning in LATE.items()]
        if with_new:
            self._sell("Farid", "new", NEW)
        self.company.run("advance")
        self._work()
        self.company.approve(*sold)
        self.company.hr.ok("POST", "/payroll-runs/{run_id}/pay", run_id=self.run_id, once=str(uuid4()))
        self.company.run("final")
        self._work()

    def try_to_send(self, lost_payouts: list[str]) -> str:
        """Try everything that sends payouts, while they are off."""
        answers = []
        for kind in ("advance", "final"):
            status, _ = self.company.admin.ask("POST", f"/payouts/{kind}/run", once=str(uuid4()))
            expect(status, 409, f"POST /payouts/{kind}/run while payouts are off")
            answers.append(status)
        # the queues remember payouts that the books have lost
        bodies = [{"tenant_id": str(self.company.id), "payout_id": payout_id} for payout_id in lost_payouts]
        queues.send_many("payouts", bodies)
        self._work()
        for schedule in SCHEDULES:
            self.loop.run_schedule_once(schedule, clock.now())
        self._work()
        return f"runs answer {answers[0]}; {len(bodies)} old messages and {len(SCHEDULES)} schedules do nothing"

    def match(self, since: datetime, *more: str) -> dict[str, int]:
        """Run the operators' command."""
        printed = cli("payouts", "match", "--tenant", self.company.slug, "--since", since.isoformat(), "--json", *more)
        return dict(json.loads(printed)["counts"])

    def check(self) -> str:
        """Run the operators' command that checks all invariants."""
        report = json.loads(cli("check", "--json"))
        failed = {name: one["said"] for name, one in report["checks"].items() if one["wrong"] and not one["is_warning"]}
        if not report["ok"] or failed:
            raise DrillFailure(f"checks failed: {failed}")
        return f"all {len(report['checks'])} checks hold"

    def new_only(self) -> dict[str, Decimal]:
        """Return what had not been paid before: the advance of the new sale."""
        return {self.people["Farid"]: Decimal(NEW) / 10}

    def owed(self) -> dict[str, Decimal]:
        """Return what each person must have received in the end."""
        owed = {user_id: Decimal(amount) for user_id, amount in self.earned.items()}
        for earnings in (EARLY, LATE, {"Kazi": LARGE}):
            for name, earning in earnings.items():
                owed[self.people[name]] = owed.get(self.people[name], Decimal(0)) + Decimal(earning)
        owed[self.people["Farid"]] += Decimal(NEW) / 10
        return owed

    def _sell(self, name: str, which: str, earning: str) -> str:
        return self.company.sale(self.people[name], f"{name}-{which}", earning)

    def _work(self) -> None:
        self.loop.drain(max_seconds=60)


def cli(*words: str) -> Any:
    """Run an operators' command in this process, and return its output."""
    from chalicelib.cli import app

    handlers = [(one, one.stream) for one in log.logger.handlers if isinstance(one, StreamHandler)]
    ended = CliRunner().invoke(app, list(words))
    for handler, stream in handlers:
        handler.stream = stream  # a command writes its logs to a stream of its own, which ended with it
    log.logger.setLevel("CRITICAL")
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    if ended.exit_code != 0:
        raise DrillFailure(
            f"{' '.join(words)} ended with {ended.exit_code}: {ended.stdout[-400:]} {ended.stderr[-400:]}"
        )
    return ended.stdout
