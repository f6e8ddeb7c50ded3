"""Real kills: worker processes and the database's processes, killed with SIGKILL in the middle of their work.

A durable PostgreSQL, a local SQS, workers in processes of their own, the product's simulated provider. The invariants
are those of the simulation, except that it is not known which messages a queue accepted.
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
from infra.labs.crash.simulation import AcknowledgedWrites
from infra.labs.crash.worker import shorten_delays
from infra.local import aws, events, lambda_events, postgres
from infra.local.children import spawn
from migrations.setup import prepare, upgrade

WORKERS = 3
BATCHES, SALES = 4, 10  # batches of a round; sales of a batch
DRAINED_WITHIN = 90.0  # seconds
BEHAVIOURS = (None, None, "accept", "timeout_before", "timeout_after", "error_after")
OPEN = "('held', 'queued', 'sending', 'unknown', 'review')"


@dataclass
class Round:
    """The outcome of a round."""

    violations: list[str]
    counts: Counter[str]
    payouts: int
    seconds: float


class _Anything(set[Any]):
    """A set that contains everything."""

    def __contains__(self, _what: object) -> bool:
        return True


@dataclass
class Stack:
    """The processes of a round, which can be killed and restarted."""

    home: Path
    rng: Random
    server: postgres.Server
    environment: dict[str, str]
    counts: Counter[str] = field(default_factory=Counter)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def hire(self) -> None:
        """Start workers until there are WORKERS of them."""
        self.workers = [one for one in self.workers if one.poll() is None]
        while len(self.workers) < WORKERS:
            command = [sys.executable, "-m", "infra.labs.crash.worker"]
            self.workers.append(spawn(command, log=self.home / "workers.log", env=self.environment))

    def kill_worker(self) -> None:
        """Kill a random worker and start another."""
        victim = self.rng.choice(self.workers)
        victim.kill()
        victim.wait()
        self.counts["workers killed"] += 1
        self.hire()

    def kill_database(self) -> None:
        """Kill the server's main process, which ends all others, and restart it."""
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
    """Run database, queues and workers; the product in this process is the API and the schedules."""
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
        queue_settings = stack.enter_context(aws.running(names, log=home / "aws.log"))
        sqs = aws.client(queue_settings["AWS_ENDPOINT_URL"], "sqs")
        for name in names:  # messages of a killed worker become visible soon
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "2"})
        environment = {
            **os.environ,
            **aws.environment(queue_settings["AWS_ENDPOINT_URL"]),
            "APPLICATION_DATABASE_URL": urls.application,
            "WAGEBOOK_HOME": "/nonexistent",
            "LOCAL_VAULT_KEY": "dGVzdHMgd3JhcCB0aGVpciBkYXRhIGtleXMgdGhpcyE=",
        }
        environment.pop("KMS_KEY_ID", None)
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(mock.patch.object(log, "_measure"))
        from chalicelib.features.payouts.delivery import rules as delivery_rules

        for name in ("LEASE", "RESEND_AFTER", "RETRY_WAITS"):  # restored at the end
            stack.enter_context(mock.patch.object(delivery_rules, name, getattr(delivery_rules, name)))
        shorten_delays()
        for cached in (settings, engine, queues.client, queues.url_of):
            cached.cache_clear()
            stack.callback(cached.cache_clear)
        stack.callback(lambda: engine().dispose())
        stack.callback(log.logger.setLevel, log.logger.log_level)
        log.logger.setLevel("CRITICAL")
        processes = Stack(home, Random(seed), server, environment)
        stack.callback(processes.stop)
        yield processes


class Scene:
    """The work of one tenant while processes are killed."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.acknowledged = stack, AcknowledgedWrites()
        self.runs_asked: set[str] = set()
        self.corrections: set[tuple[str, str]] = set()
        with self.admin() as admin:
            self.tenant = cast.create_tenant(SimpleNamespace(admin=admin), stack.rng, "Acme", people=6)  # type: ignore[arg-type]

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
        """Make an API call, and retry it until there is a definite reply."""
        import app

        headers = {"content-type": "application/json", "x-api-key": self.tenant.keys["Ada"]}
        headers |= {"idempotency-key": key} if key else {}
        status, reply_body = 0, None
        for _ in range(40):
            text = None if body is None else json.dumps(body)
            event = lambda_events.api_event(method, resource, values or {}, body=text, headers=headers)
            reply = app.app(event, lambda_events.Context("api"))
            status, reply_body = int(reply["statusCode"]), json.loads(reply["body"] or "null")
            if status < 500 and not (status == 409 and "still running" in str(reply_body)):
                return status, reply_body
            time.sleep(0.1)
        return status, reply_body

    def tick(self, schedule: str) -> None:
        """Call a schedule; for the sweeper the clock is a minute ahead."""
        import app
        from chalicelib.backing import clock

        later = clock.now() + (timedelta(seconds=61) if schedule == "sweep-outbox" else timedelta(0))
        one = next(one for one in events.schedules_of(app.app) if one.name == schedule)
        with suppress(Exception), mock.patch.object(clock, "now", return_value=later):
            one.handler(lambda_events.scheduled_event(schedule, later), lambda_events.Context(schedule))

    def strike(self) -> None:
        """Kill a worker, the database or nothing, as drawn."""
        draw = self.stack.rng.random()
        if draw < 0.5:
            self.stack.kill_worker()
        elif draw < 0.56:
            self.stack.kill_database()
        time.sleep(self.stack.rng.choice((0.0, 0.05, 0.2)))

    def act(self, batches: int) -> None:
        """Enter sales, pay advances, decide and pay, perhaps with a kill between any two steps."""
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
                    "earning": str(cast.draw_earning(rng, self.tenant.currency)),
                }
                for name in names
            ]
            status, _ = self.call("POST", "/sales/import", sales)
            if status == 200:
                there = self.rows("select id, external_id from sales where tenant_id = %s", self.tenant.id)
                ids = {one["external_id"]: str(one["id"]) for one in there}
                self.acknowledged.sales |= {
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
                    self.acknowledged.runs[key] = answer["job_id"]
                self.tick("payouts-to-look-at")
                self.strike()
            some = [one["id"] for one in self.acknowledged.sales.values() if rng.random() < 0.5]
            items = [{"sale_id": one, "status": rng.choice(("approved", "approved", "declined"))} for one in some]
            if items:
                status, answer = self.call("POST", "/reconcile", {"items": items})
                if status == 200:
                    self.acknowledged.decisions += [
                        (item["sale_id"], item["status"], result["result"], False)
                        for item, result in zip(items, answer["items"], strict=True)
                    ]
            self.strike()

    def drain(self) -> list[str]:
        """Work without kills until nothing is left; return what remains as a violation."""
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
        """Return the violations of the simulation's invariants."""
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
        simulation: Any = SimpleNamespace(
            tenant=self.tenant,
            acknowledged=self.acknowledged,
            runs_asked=self.runs_asked,
            corrections=self.corrections,
            bank=SimpleNamespace(entries=entries),
            world=SimpleNamespace(rows=self.rows, other_tenant_id=None),
            sqs=SimpleNamespace(seen=_Anything()),
            faults=SimpleNamespace(slow_transactions=True),
        )
        books = Books.of(simulation)
        return [f"{name}: {problem}" for name, check in INVARIANTS.items() for problem in check(books)]


def play(stack: Stack, *, batches: int = BATCHES) -> Round:
    """Run one round: work under kills, drain, check."""
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
    """Run rounds, print each, and return whether all invariants held."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    is_good = True
    with running(seed) as stack:
        for number in range(1, rounds + 1):
            outcome = play(stack)
            is_good = is_good and not outcome.violations
            counts = ", ".join(f"{count} {what}" for what, count in outcome.counts.items())
            console.print(
                f"round {number}: {counts}; {outcome.payouts} payouts, {outcome.seconds:.1f} s:"
                f" {'all invariants held' if not outcome.violations else 'INVARIANTS VIOLATED'}",
                highlight=False,
            )
            for violation in outcome.violations:
                console.print(violation, style="red", markup=False)
    console.print(
        f"seed {seed}; real kills are not deterministic, so the same seed is not the same history", highlight=False
    )
    return is_good
