"""True kills: worker processes and the database's own process, killed with SIGKILL in the middle of their work.

A durable PostgreSQL, a stand-in for SQS, workers in processes of their own, the product's simulated provider. What has
to hold afterwards is what has to hold in the simulation; the only thing that cannot be known here is what a queue took.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest import mock

import psycopg
from psycopg.rows import dict_row
from rich.console import Console

from infra.labs.crash import cast, many, world
from infra.labs.crash.bank import Entry
from infra.labs.crash.invariants import INVARIANTS, Books
from infra.labs.crash.story import Acknowledged
from infra.labs.crash.worker import hasten
from infra.local import aws, events, lambda_events, postgres
from infra.local.children import spawn
from migrations.setup import prepare, upgrade

WORKERS = 3
BATCHES, SALES = 4, 10  # of a round; of a batch
DRAINED_WITHIN = 90.0  # seconds
BEHAVIOURS = (None, None, "accept", "timeout_before", "timeout_after", "error_after")
OPEN = "('held', 'queued', 'sending', 'unknown', 'review')"


@dataclass
class Round:
    """What a round was and broke."""

    violations: list[str]
    counts: Counter[str]
    payouts: int
    seconds: float


class _Anything(set[Any]):
    def __contains__(self, _what: object) -> bool:
        return True


@dataclass
class Stack:
    """The processes of a round, and what may be done to them."""

    home: Path
    rng: Random
    server: postgres.Server
    environment: dict[str, str]
    counts: Counter[str] = field(default_factory=Counter)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def hire(self) -> None:
        """Start workers until there are enough."""
        self.workers = [one for one in self.workers if one.poll() is None]
        while len(self.workers) < WORKERS:
            command = [sys.executable, "-m", "infra.labs.crash.worker"]
            self.workers.append(spawn(command, log=self.home / "workers.log", env=self.environment))

    def kill_worker(self) -> None:
        """Kill a worker wherever it is."""
        victim = self.rng.choice(self.workers)
        victim.kill()
        victim.wait()
        self.counts["workers killed"] += 1
        self.hire()

    def kill_database(self) -> None:
        """Kill the server's first process, which takes all others with it, and start it again."""
        self.server.process.kill()
        self.server.process.wait()
        self.counts["databases killed"] += 1
        self.server = postgres.start(self.home / "postgres", durable=True, settings=many.SETTINGS)

    def stop(self) -> None:
        for one in self.workers:
            one.kill()
            one.wait()
        self.server.stop()


@contextmanager
def running(seed: int) -> Iterator[Stack]:
    """Run the parts, with the product in this process as API and clock."""
    import app
    from chalicelib.backing import log, queues
    from chalicelib.backing.database import engine
    from chalicelib.backing.settings import settings

    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="wagebook-real-")))
        home.chmod(0o755)
        server = postgres.start(home / "postgres", durable=True, settings=many.SETTINGS)
        urls = prepare(server.admin_url, world.PASSWORDS)
        upgrade(urls.migrator)
        names = [one.queue for one in events.consumers_of(app.app)]
        said = stack.enter_context(aws.running(names, log=home / "aws.log"))
        sqs = aws.client(said["AWS_ENDPOINT_URL"], "sqs")
        for name in names:  # what a dead worker had comes back soon
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "2"})
        environment = {
            **os.environ,
            **aws.environment(said["AWS_ENDPOINT_URL"]),
            "APPLICATION_DATABASE_URL": urls.application,
            "WAGEBOOK_HOME": "/nonexistent",
            "LOCAL_VAULT_KEY": "dGVzdHMgd3JhcCB0aGVpciBkYXRhIGtleXMgdGhpcyE=",
        }
        environment.pop("KMS_KEY_ID", None)
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(mock.patch.object(log, "_measure"))
        from chalicelib.features.payouts.delivery import rules as delivery_rules

        for name in ("LEASE", "NUDGE", "LADDER"):  # put back at the end
            stack.enter_context(mock.patch.object(delivery_rules, name, getattr(delivery_rules, name)))
        hasten()
        for cached in (settings, engine, queues.client, queues.url_of):
            cached.cache_clear()
            stack.callback(cached.cache_clear)
        stack.callback(lambda: engine().dispose())
        stack.callback(log.logger.setLevel, log.logger.log_level)
        log.logger.setLevel("CRITICAL")
        made = Stack(home, Random(seed), server, environment)
        stack.callback(made.stop)
        yield made


class Scene:
    """One tenant's work, done while everything dies."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.said = stack, Acknowledged()
        self.runs_asked: set[str] = set()
        self.corrections: set[tuple[str, str]] = set()
        with self.admin() as admin:
            self.tenant = cast.tenant(SimpleNamespace(admin=admin), stack.rng, "Acme", people=6)  # type: ignore[arg-type]

    @contextmanager
    def admin(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        url = self.stack.server.admin_url.rsplit("/", 1)[0] + "/wagebook"
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as admin:
            yield admin

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with self.admin() as admin:
            return admin.execute(statement.encode(), values).fetchall()

    def call(
        self,
        method: str,
        resource: str,
        body: Any = None,
        *,
        key: str | None = None,
        values: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Make an API call until it is answered."""
        import app

        headers = {"content-type": "application/json", "x-api-key": self.tenant.keys["Ada"]}
        headers |= {"idempotency-key": key} if key else {}
        status, answer = 0, None
        for _ in range(40):
            said = None if body is None else json.dumps(body)
            happened = lambda_events.api_event(method, resource, values or {}, body=said, headers=headers)
            reply = app.app(happened, lambda_events.Context("api"))
            status, answer = int(reply["statusCode"]), json.loads(reply["body"] or "null")
            if status < 500 and not (status == 409 and "still running" in str(answer)):
                return status, answer
            time.sleep(0.1)
        return status, answer

    def tick(self, schedule: str) -> None:
        """Let time call a schedule; the sweeper is told that a minute has passed."""
        import app
        from chalicelib.backing import clock

        later = clock.now() + (timedelta(seconds=61) if schedule == "sweep-outbox" else timedelta(0))
        one = next(one for one in events.schedules_of(app.app) if one.name == schedule)
        with suppress(Exception), mock.patch.object(clock, "now", return_value=later):
            one.handler(lambda_events.scheduled_event(schedule, later), lambda_events.Context(schedule))

    def strike(self) -> None:
        """Kill somebody, or nobody."""
        drawn = self.stack.rng.random()
        if drawn < 0.5:
            self.stack.kill_worker()
        elif drawn < 0.56:
            self.stack.kill_database()
        time.sleep(self.stack.rng.choice((0.0, 0.05, 0.2)))

    def act(self, batches: int) -> None:
        """Sell, advance, decide and pay, with a kill between any two steps."""
        rng = self.stack.rng
        for number, person in enumerate(self.tenant.people):
            if behaviour := BEHAVIOURS[number % len(BEHAVIOURS)]:
                body = {"kind": "simulated", "behaviour": behaviour}
                self.call("PUT", "/users/{user_id}/payout-destination", body, values={"user_id": str(person)})
        for batch in range(batches):
            names = [f"S{batch}-{number}" for number in range(SALES)]
            sales = [
                {
                    "user_id": str(rng.choice(self.tenant.people)),
                    "external_id": name,
                    "currency": self.tenant.currency,
                    "earning": str(cast.earning(rng, self.tenant.currency)),
                }
                for name in names
            ]
            status, _ = self.call("POST", "/sales/import", sales)
            if status == 200:
                there = self.rows("select id, external_id from sales where tenant_id = %s", self.tenant.id)
                ids = {one["external_id"]: str(one["id"]) for one in there}
                self.said.sales |= {
                    one["external_id"]: {**one, "id": ids[one["external_id"]]}
                    for one in sales
                    if one["external_id"] in ids
                }
            for kind in ("advance", "final"):
                self.strike()
                key = f"{kind}-{batch}"
                self.runs_asked.add(key)
                status, answer = self.call("POST", f"/payouts/{kind}/run", key=key)
                if status == 202:
                    self.said.runs[key] = answer["job_id"]
                self.tick("payouts-to-look-at")
                self.strike()
            some = [one["id"] for one in self.said.sales.values() if rng.random() < 0.5]
            items = [{"sale_id": one, "status": rng.choice(("approved", "approved", "declined"))} for one in some]
            if items:
                status, answer = self.call("POST", "/reconcile", {"items": items})
                if status == 200:
                    self.said.decisions += [
                        (item["sale_id"], item["status"], result["result"], False)
                        for item, result in zip(items, answer["items"], strict=True)
                    ]
            self.strike()

    def drain(self) -> list[str]:
        """Let everybody work in peace until nothing is left."""
        self.stack.hire()
        deadline, turn = time.monotonic() + DRAINED_WITHIN, 0
        left: list[dict[str, Any]] = []
        while time.monotonic() < deadline:
            self.tick("sweep-outbox")
            self.tick("payouts-to-look-at")
            left = self.rows(
                f"select status as what, count(*) from payouts where tenant_id = %(id)s and status in {OPEN}"
                " group by 1 union all select 'owed', count(*) from ledger_accounts"
                " where tenant_id = %(id)s and kind = 'payable' and balance < 0"
                " union all select 'unsent', count(*) from outbox where tenant_id = %(id)s and sent_at is null".replace(
                    "%(id)s", f"'{self.tenant.id}'"
                )
            )
            if not any(row["count"] for row in left):
                return []
            if turn % 5 == 0:
                self.runs_asked.add(f"last-{turn}")
                self.call("POST", "/payouts/advance/run", key=f"last-{turn}")
            turn += 1
            time.sleep(0.3)
        return [f"nothing-stuck: after {DRAINED_WITHIN:.0f} s there is still {left}"]

    def check(self) -> list[str]:
        """Check what the simulation checks."""
        moved = self.rows("select * from simulated_movements where tenant_id = %s order by id", self.tenant.id)
        entries = [
            Entry(
                one["tenant_id"],
                one["user_id"],
                one["reference"],
                one["amount"],
                one["currency"],
                one["at"],
                was_refused=one["status"] == "refused",
                came_back=one["status"] == "returned",
            )
            for one in moved
        ]
        story: Any = SimpleNamespace(
            tenant=self.tenant,
            said=self.said,
            runs_asked=self.runs_asked,
            corrections=self.corrections,
            bank=SimpleNamespace(entries=entries),
            world=SimpleNamespace(rows=self.rows, other_tenant_id=None),
            sqs=SimpleNamespace(seen=_Anything()),
            plan=SimpleNamespace(slow_transactions=True),
        )
        books = Books.of(story)
        return [f"{name}: {said}" for name, check in INVARIANTS.items() for said in check(books)]


def play(stack: Stack, *, batches: int = BATCHES) -> Round:
    """One round."""
    began = time.monotonic()
    before = Counter(stack.counts)
    stack.hire()
    scene = Scene(stack)
    scene.act(batches)
    violations = scene.drain()
    violations += scene.check()
    count = scene.rows("select count(*) from payouts where tenant_id = %s", scene.tenant.id)[0]["count"]
    return Round(violations, stack.counts - before, count, time.monotonic() - began)


def show(*, rounds: int, seed: int) -> bool:
    """Play so many rounds, print each, and tell whether all promises held."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    is_good = True
    with running(seed) as stack:
        for number in range(1, rounds + 1):
            played = play(stack)
            is_good = is_good and not played.violations
            said = ", ".join(f"{count} {what}" for what, count in played.counts.items())
            console.print(
                f"round {number}: {said}; {played.payouts} payouts, {played.seconds:.1f} s:"
                f" {'all promises held' if not played.violations else 'PROMISES BROKEN'}",
                highlight=False,
            )
            for violation in played.violations:
                console.print(violation, style="red", markup=False)
    console.print(
        f"seed {seed}; true kills come when they come, so the same seed is not the same history", highlight=False
    )
    return is_good
