"""One run: its tenant, the simulated outside world, the calls of its actors, and what the API acknowledged."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from unittest import mock

from chalicelib.backing import clock, files, queues
from chalicelib.backing.settings import Settings, settings
from chalicelib.entry import limits
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.payouts.delivery.providers import Provider
from chalicelib.features.payouts.runs import actions as run_actions
from infra.labs.crash import cast
from infra.labs.crash.bank import Bank
from infra.labs.crash.baton import Actor, Hub, Killed
from infra.labs.crash.connection import LabConnection
from infra.labs.crash.faults import Crash, Faults
from infra.labs.crash.files import FileBank
from infra.labs.crash.modes import Mode
from infra.labs.crash.sqs import Message, Queues, received
from infra.labs.crash.world import World
from infra.local import lambda_events

if TYPE_CHECKING:
    from infra.labs.crash.restore import Backup

STARTS_AT = datetime(2026, 3, 2, 8, 12, 7, tzinfo=UTC)
QUEUES = ("payout-runs", "payouts")


@dataclass
class AcknowledgedWrites:
    """The writes that the API acknowledged: they must be in the database at the end."""

    sales: dict[str, dict[str, Any]] = field(default_factory=dict)  # by external id
    # (sale id, status, result, is_correction)
    decisions: list[tuple[str, str, str, bool]] = field(default_factory=list)
    runs: dict[str, str] = field(default_factory=dict)  # job id by idempotency key
    moves: list[tuple[str, str]] = field(default_factory=list)  # payout id, and the event that it must have


class Simulation:
    """One run: its world, its random numbers, its actors' shared state."""

    def __init__(self, world: World, seed: int, mode: Mode, *, name: str = "Acme") -> None:
        self.world, self.seed, self.mode = world, seed, mode
        self.rng = Random(f"{seed}/{mode.name}")
        self.faults = Faults.draw(self.rng, has_files=mode.has_files)
        self.hub = Hub(self.rng, self.faults, world, now=STARTS_AT, next_moment=lambda: self.sqs.next_visible())
        self.sqs = Queues(self.hub, prefix=queues.configured_name(""))
        self.bank = Bank(self.hub, mode.abilities)
        self.files = FileBank(self)
        self.batches = 0  # bank files that were requested
        self.hub.set_clock()
        self.tenant = cast.create_tenant(world, self.rng, name)
        self.acknowledged = AcknowledgedWrites()
        self.runs_asked: set[str] = set()
        self.corrections: set[tuple[str, str]] = set()  # sale id and status, as requested
        self.violations: list[str] = []
        self.deciding: dict[str, dict[str, str]] = {}  # the decisions that each decider is requesting now
        self.is_calm = False
        self.is_off = False  # PAYOUTS_ENABLED=false, as after a restore
        self.backup: Backup | None = None
        self.backs_up_at = STARTS_AT + timedelta(minutes=self.rng.choice((1, 5, 20, 60))) if mode.restores else None

    def tenant_with(self, **changes: Any) -> cast.Tenant:
        """Return the tenant with some attributes changed."""
        return dataclasses.replace(self.tenant, **changes)

    @contextmanager
    def patched(self) -> Iterator[Simulation]:
        """Replace the product's outside world by the simulated one until the end of the block."""
        LabConnection.hub = self.hub
        with (
            mock.patch.object(clock, "now", self._now),
            mock.patch.object(limits, "spend"),  # counts by the real time, which is not simulated
            mock.patch.object(queues, "client", return_value=self.sqs),
            mock.patch.object(delivery_actions, "settings", self._settings),
            mock.patch.object(providers, "registry", return_value=self._providers()),
            mock.patch.object(files, "put", self.files.put),
            mock.patch.object(files, "make_download_link", self.files.link_to),
            mock.patch.object(run_actions, "CHUNK_PEOPLE", self.rng.choice((1, 2, 1000))),
        ):
            try:
                yield self
            finally:
                self.hub.close()
                LabConnection.hub = None

    def _providers(self) -> dict[str, Provider]:
        """Return the product's providers, with the laboratory's in the place of the simulated one."""
        return {**providers.registry(), "simulated": Provider(self.bank.abilities, self.bank)}

    def _now(self) -> datetime:
        actor = self.hub.current
        return self.hub.now + (actor.skew if actor is not None else timedelta(0))

    def _settings(self) -> Settings:
        return dataclasses.replace(settings(), payouts_enabled=not self.is_off)

    # The product's entry points

    def ask(
        self,
        who: str,
        method: str,
        resource: str,
        values: dict[str, str] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> tuple[int, Any]:
        """Make one API call and return its status and reply; status 0 if the connection broke."""
        import app

        is_text = isinstance(body, str)  # a bank's report, which is XML
        headers = {
            "content-type": "application/xml" if is_text else "application/json",
            "x-api-key": self.tenant.keys[who],
        }
        if key is not None:
            headers["idempotency-key"] = key
        event = lambda_events.api_event(
            method,
            resource,
            values or {},
            body=body if is_text or body is None else json.dumps(body, default=str),
            headers=headers,
        )
        actor = self.hub.current
        try:
            answer = app.app(event, lambda_events.Context("api"))
        except Killed:
            if actor is None:
                raise
            actor.revive()
            return 0, None
        status = int(answer["statusCode"])
        self.hub.note(f"{actor.name if actor else 'calm'} {method} {resource} -> {status}")
        return status, json.loads(answer["body"]) if answer["body"] else None

    def call(
        self,
        who: str,
        method: str,
        resource: str,
        values: dict[str, str] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> tuple[int, Any]:
        """Make an API call as a good client does: retry after a pause until there is a definite reply."""
        for _ in range(8):
            status, answer = self.ask(who, method, resource, values, body, key)
            still_running = status == 409 and "still running" in str(answer.get("detail"))
            if status not in (0, 500, 503) and not still_running:
                return status, answer
            if self.hub.current is None:
                continue
            self.hub.current.rest(timedelta(seconds=self.rng.choice((1, 3, 10))))
        return 0, None

    def deliver(self, queue: str) -> bool:
        """Pass a batch of a queue to the product's consumer, as Lambda does. Return whether there was one."""
        consumer, actor = self.world.consumers[queue], self.hub.current
        batch = self.sqs.receive(queue, min(10, consumer.batch_size))
        if not batch:
            return False
        event = lambda_events.queue_event([received(one) for one in batch], f"arn:aws:sqs:eu-central-1:0:{queue}")
        records = event["Records"] = _Records(event["Records"], actor)
        if actor is not None:
            actor.batch = records if len(batch) > 1 else None
        self.sqs.refused_rest.discard(actor)
        try:
            answer = consumer.handler(event, lambda_events.Context(consumer.name))
        except Exception as error:  # Lambda then treats the whole batch as failed
            self.hub.note(f"{queue} failed: {type(error).__name__}")
            if actor in self.sqs.refused_rest and len(batch) > 1:
                self.violations.append("one-bad-message: a message that could not be delayed failed its batch")
            self._check_poison(batch, records, set())
            return True
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        self._check_poison(batch, records, failed)
        done = [one for one in batch if received(one)["MessageId"] not in failed]
        if actor is not None:
            actor.batch = None
            actor.point(Crash.BEFORE_ACK if done else None, f"ack {len(done)} of {len(batch)}")
        self.sqs.delete(done)
        return True

    def _check_poison(self, batch: list[Message], records: _Records, failed: set[str]) -> None:
        if any(one.is_poison for one in batch):
            bad = {received(one)["MessageId"] for one in batch if one.is_poison}
            if not bad <= failed or records.reached < len(batch):
                self.violations.append("one-bad-message: a poison message stopped others of its batch")

    def tick(self, schedule: str) -> None:
        """Call a schedule as EventBridge does, with up to two retries."""
        one, actor = self.world.schedules[schedule], self.hub.current
        for _ in range(3):
            if schedule == "payouts-to-look-at":
                self.sqs.resending.add(actor)
            try:
                one.handler(lambda_events.scheduled_event(schedule, self.hub.now), lambda_events.Context(schedule))
                return
            except Killed:
                if actor is None:
                    raise
                actor.revive()
            except Exception as error:
                self.hub.note(f"{schedule} failed: {type(error).__name__}")
            finally:
                self.sqs.resending.discard(actor)

    # What every actor can see

    def has_work(self) -> bool:
        return any(one.visible_at <= self.hub.now for one in self.sqs.waiting)

    def payouts(self, where: str) -> list[dict[str, Any]]:
        """Return the payouts that match a condition, oldest first, each with the time of its last event."""
        return self.world.rows(
            "select p.*, (select max(at) from payout_events e where e.tenant_id = p.tenant_id and e.payout_id = p.id)"
            f" as touched_at from payouts p where p.tenant_id = %s and {where} order by p.id",
            self.tenant.id,
        )

    def sales(self) -> list[dict[str, Any]]:
        """Return all sales."""
        return self.world.rows("select * from sales where tenant_id = %s order by id", self.tenant.id)

    def is_sending(self) -> bool:
        return bool(self.payouts("status = 'sending'"))

    # Simulated time

    def between(self) -> None:
        """Between two turns: let time pass, or not, and poison messages arrive."""
        rng = self.rng
        if self.faults.poison and rng.random() < 0.1:
            self.faults.poison = False
            self.sqs.poison(rng.choice(QUEUES))
        draw = rng.random()
        if not self.faults.slow_transactions and any(one.is_in_transaction for one in self.hub.actors):
            if draw < 0.1:
                self.hub.pass_time(timedelta(seconds=1))
        elif draw < 0.2:
            self.hub.pass_time(timedelta(seconds=rng.choice((1, 2, 5, 11, 35, 70))))
        elif draw < 0.26:
            self.hub.pass_time(timedelta(minutes=rng.choice((2, 3, 6, 16, 31, 61))))
        elif draw < 0.27:
            self.hub.pass_time(timedelta(hours=rng.choice((2, 7, 25, 80))))
        elif draw < 0.29 and (ends := [end for end in self.bank.key_ends() if end > self.hub.now]):
            moment = rng.choice(ends) - timedelta(minutes=rng.choice((1, 20, 29, 31, 33, 36, 39, 45)))
            if moment > self.hub.now:
                self.hub.count(Crash.SLOW_PAST_KEY)
                self.hub.pass_time(moment - self.hub.now)

    def is_done(self) -> bool:
        """Return whether all clients are done and no message waits."""
        if self.backup is not None:
            return self.hub.now - self.backup.at >= timedelta(minutes=10)
        clients = ("seller", "decider", "runner", "scheduler")
        return not self.sqs.waiting and all(one.is_over for one in self.hub.actors if one.name.startswith(clients))


class _Records(list[dict[str, Any]]):
    """The records of an event; they record how far the consumer has iterated."""

    def __init__(self, rows: list[dict[str, Any]], actor: Actor | None) -> None:
        super().__init__(rows)
        self.actor, self.reached = actor, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for place in range(len(self)):
            if self.actor is not None:
                self.actor.worked = place
            self.reached = place + 1
            yield self[place]
