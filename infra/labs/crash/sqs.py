"""SQS, at its worst: at least once, in any order, to several at a time. It stands where boto3's client does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import EndpointConnectionError

from chalicelib.backing.queues import MAX_RECEIVES
from infra.labs.crash.baton import Hub, Killed
from infra.labs.crash.faults import Crash

VISIBILITY = timedelta(seconds=180)
SHORT_VISIBILITY = timedelta(seconds=1)
NOT_JSON, NO_TENANT = "{not json", '{"payout_id": "?"}'


@dataclass
class Message:
    """One message that waits or is being worked on."""

    number: int
    queue: str
    body: str
    visible_at: datetime
    receives: int = 0
    receipts: set[str] = field(default_factory=set)

    @property
    def is_poison(self) -> bool:
        return self.body in (NOT_JSON, NO_TENANT)


class Queues:
    """All queues and their dead letters; time is the hub's."""

    def __init__(self, hub: Hub, *, prefix: str) -> None:
        self.hub, self.prefix = hub, prefix
        self.waiting: list[Message] = []
        self.dead: list[Message] = []
        self.seen: set[tuple[str, str]] = set()  # queue and body of whatever was taken, ever
        self.looking: set[object] = set()  # who sends what no outbox asked for: the look-at schedule
        self.is_calm = False
        self.refused_rest: set[object] = set()  # whose message could not be let rest in the batch that they work on
        self._made = 0

    # What the product calls

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803  # AWS's names
        return {"QueueUrl": QueueName.removeprefix(self.prefix)}

    def send_message(self, *, QueueUrl: str, MessageBody: str, MessageGroupId: str) -> dict[str, str]:  # noqa: N803
        self._put(QueueUrl, MessageBody)
        self._sent()
        return {"MessageId": "-"}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        taken = []
        for entry in Entries:
            if not self.is_calm and self.hub.rng.random() < self.hub.plan.not_taken:
                self.hub.count(Crash.NOT_TAKEN)
                continue
            self._put(QueueUrl, entry["MessageBody"])
            taken.append({"Id": entry["Id"]})
        self._sent()
        return {"Successful": taken}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        if not self.is_calm and self.hub.rng.random() < self.hub.plan.no_rest:
            self.hub.count(Crash.NO_REST)
            self.refused_rest.add(self.hub.current)
            raise EndpointConnectionError(endpoint_url="sqs")
        for message in self.waiting:
            if ReceiptHandle in message.receipts:
                message.visible_at = self.hub.now + timedelta(seconds=VisibilityTimeout)

    # What Lambda's poller does

    def receive(self, queue: str, most: int) -> list[Message]:
        """Hand out messages of a queue, hidden from others for a while, perhaps not for long enough."""
        plan, rng = self.hub.plan, self.hub.rng
        ready = [one for one in self.waiting if one.queue == queue and one.visible_at <= self.hub.now]
        if not self.is_calm and len(ready) > 1:
            before = list(ready)
            rng.shuffle(ready)
            if ready != before:
                self.hub.count(Crash.REORDERED)
        found = []
        for message in ready[:most]:
            if message.receives >= MAX_RECEIVES:
                self.waiting.remove(message)
                self.dead.append(message)
                if not message.is_poison:
                    self.hub.count(Crash.DEAD)
                continue
            message.receives += 1
            hidden = VISIBILITY
            if not self.is_calm and plan.short_visibility and rng.random() < 0.5:
                hidden = SHORT_VISIBILITY
            if not self.is_calm and hidden is VISIBILITY and rng.random() < plan.doubled / 3:
                self.hub.count(Crash.DELIVERED_TWICE)
                hidden = timedelta(0)
            message.visible_at = self.hub.now + hidden
            if not self.is_calm and rng.random() < plan.throttled:
                self.hub.count(Crash.THROTTLED)
                continue
            message.receipts.add(f"{message.number}/{message.receives}")
            found.append(message)
        return found

    def delete(self, messages: list[Message]) -> None:
        """Acknowledge messages."""
        for message in messages:
            if message in self.waiting:
                self.waiting.remove(message)

    def replay_dead(self) -> None:
        """Do what the operators' command does: put dead letters back."""
        for message in self.dead:
            if not message.is_poison:
                self._put(message.queue, message.body)
        self.dead = []

    def send_anew(self, queue: str, body: dict[str, Any]) -> None:
        """Put a message there by hand, as an operator does."""
        self._put(queue, canonical(body))

    def forget_poison(self) -> None:
        self.waiting = [one for one in self.waiting if not one.is_poison]

    def next_visible(self) -> datetime | None:
        """Return when the next hidden message comes back."""
        return min((one.visible_at for one in self.waiting), default=None)

    def poison(self, queue: str) -> None:
        """Put a message there that nobody can work on."""
        self.hub.count(Crash.POISON)
        self._put(queue, self.hub.rng.choice((NOT_JSON, NO_TENANT)))

    def _put(self, queue: str, body: str) -> None:
        if self.hub.current not in self.looking and body not in (NOT_JSON, NO_TENANT):
            self.seen.add((queue, canonical(json.loads(body))))
        copies = 1
        if not self.is_calm and self.hub.rng.random() < self.hub.plan.doubled:
            self.hub.count(Crash.SENT_TWICE)
            copies = 2
        for _ in range(copies):
            self._made += 1
            self.waiting.append(Message(self._made, queue, body, self.hub.now))

    def _sent(self) -> None:
        actor = self.hub.current
        if actor is not None:
            if actor.is_dead:
                raise Killed
            actor.point(Crash.BEFORE_MARK, "sent")


def canonical(body: dict[str, Any]) -> str:
    """Write a body so that the same is the same."""
    return json.dumps(body, sort_keys=True)


def received(message: Message) -> dict[str, Any]:
    """Shape a message as ReceiveMessage answers it."""
    return {
        "MessageId": f"00000000-0000-4000-8000-{message.number:012}",
        "ReceiptHandle": f"{message.number}/{message.receives}",
        "Body": message.body,
        "MD5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "Attributes": {"ApproximateReceiveCount": str(message.receives)},
    }
