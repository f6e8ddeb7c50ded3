"""SQS at its worst, in place of boto3's client: at least once, in any order, to several consumers at a time."""

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
    """One message that waits or is being processed."""

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
    """All queues and the dead-letter queue; time is the hub's."""

    def __init__(self, hub: Hub, *, prefix: str) -> None:
        self.hub, self.prefix = hub, prefix
        self.waiting: list[Message] = []
        self.dead: list[Message] = []
        self.seen: set[tuple[str, str]] = set()  # queue and body of every message that was accepted
        self.resending: set[object] = set()  # actors that send without the outbox: the retry schedule
        self.is_calm = False
        self.refused_rest: set[object] = set()  # actors whose message could not be delayed in their current batch
        self._last_number = 0

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
            if not self.is_calm and self.hub.rng.random() < self.hub.faults.not_taken:
                self.hub.count(Crash.NOT_TAKEN)
                continue
            self._put(QueueUrl, entry["MessageBody"])
            taken.append({"Id": entry["Id"]})
        self._sent()
        return {"Successful": taken}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        if not self.is_calm and self.hub.rng.random() < self.hub.faults.no_rest:
            self.hub.count(Crash.NO_REST)
            self.refused_rest.add(self.hub.current)
            raise EndpointConnectionError(endpoint_url="sqs")
        for message in self.waiting:
            if ReceiptHandle in message.receipts:
                message.visible_at = self.hub.now + timedelta(seconds=VisibilityTimeout)

    # What Lambda's poller does

    def receive(self, queue: str, most: int) -> list[Message]:
        """Deliver messages of a queue, invisible for a while, perhaps not for long enough."""
        faults, rng = self.hub.faults, self.hub.rng
        ready = [one for one in self.waiting if one.queue == queue and one.visible_at <= self.hub.now]
        if not self.is_calm and len(ready) > 1:
            before = list(ready)
            rng.shuffle(ready)
            if ready != before:
                self.hub.count(Crash.REORDERED)
        received_messages = []
        for message in ready[:most]:
            if message.receives >= MAX_RECEIVES:
                self.waiting.remove(message)
                self.dead.append(message)
                if not message.is_poison:
                    self.hub.count(Crash.DEAD)
                continue
            message.receives += 1
            hidden = VISIBILITY
            if not self.is_calm and faults.short_visibility and rng.random() < 0.5:
                hidden = SHORT_VISIBILITY
            if not self.is_calm and hidden is VISIBILITY and rng.random() < faults.doubled / 3:
                self.hub.count(Crash.DELIVERED_TWICE)
                hidden = timedelta(0)
            message.visible_at = self.hub.now + hidden
            if not self.is_calm and rng.random() < faults.throttled:
                self.hub.count(Crash.THROTTLED)
                continue
            message.receipts.add(f"{message.number}/{message.receives}")
            received_messages.append(message)
        return received_messages

    def delete(self, messages: list[Message]) -> None:
        """Acknowledge messages."""
        for message in messages:
            if message in self.waiting:
                self.waiting.remove(message)

    def replay_dead(self) -> None:
        """Redrive dead-letter messages, as the operators' command does."""
        for message in self.dead:
            if not message.is_poison:
                self._put(message.queue, message.body)
        self.dead = []

    def send_anew(self, queue: str, body: dict[str, Any]) -> None:
        """Send a message by hand, as an operator does."""
        self._put(queue, canonical(body))

    def forget_poison(self) -> None:
        self.waiting = [one for one in self.waiting if not one.is_poison]

    def next_visible(self) -> datetime | None:
        """Return when the next invisible message becomes visible."""
        return min((one.visible_at for one in self.waiting), default=None)

    def poison(self, queue: str) -> None:
        """Send a message that cannot be processed."""
        self.hub.count(Crash.POISON)
        self._put(queue, self.hub.rng.choice((NOT_JSON, NO_TENANT)))

    def _put(self, queue: str, body: str) -> None:
        """Append a message to a queue, perhaps twice."""
        if self.hub.current not in self.resending and body not in (NOT_JSON, NO_TENANT):
            self.seen.add((queue, canonical(json.loads(body))))
        copies = 1
        if not self.is_calm and self.hub.rng.random() < self.hub.faults.doubled:
            self.hub.count(Crash.SENT_TWICE)
            copies = 2
        for _ in range(copies):
            self._last_number += 1
            self.waiting.append(Message(self._last_number, queue, body, self.hub.now))

    def _sent(self) -> None:
        actor = self.hub.current
        if actor is not None:
            if actor.is_dead:
                raise Killed
            actor.point(Crash.BEFORE_MARK, "sent")


def canonical(body: dict[str, Any]) -> str:
    """Serialize a body so that equal bodies are equal texts."""
    return json.dumps(body, sort_keys=True)


def received(message: Message) -> dict[str, Any]:
    """Return a message in the form of ReceiveMessage."""
    return {
        "MessageId": f"00000000-0000-4000-8000-{message.number:012}",
        "ReceiptHandle": f"{message.number}/{message.receives}",
        "Body": message.body,
        "MD5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "Attributes": {"ApproximateReceiveCount": str(message.receives)},
    }
