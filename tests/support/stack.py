"""Queues and schedules of the app in one process: moto's SQS, true events, the app's own handlers, a clock to set."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from moto import mock_aws

from chalicelib.backing import clock, files, queues
from infra.local import aws
from infra.local.events import EventLoop, consumers_of


class Stack:
    """What stands beside the API: work the queues off, let time call."""

    def __init__(self) -> None:
        import app

        endpoint = "https://sqs.eu-central-1.amazonaws.com"
        self.sqs = aws.client(endpoint, "sqs")
        aws.make_queues(self.sqs, [consumer.queue for consumer in consumers_of(app.app)])
        self.loop = EventLoop(app.app, endpoint=endpoint)

    def drain(self) -> int:
        """Work until all queues are empty, and count the messages done."""
        return self.loop.drain(max_seconds=30)

    def tick(self, schedule: str) -> Any:
        """Let time call one schedule."""
        return self.loop.run_schedule_once(schedule, clock.now())

    def waiting(self, queue: str) -> int:
        """Count the messages that a queue holds, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=queues.url_of(queue), AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


@contextmanager
def running() -> Iterator[Stack]:
    """Return a stack with empty queues and an empty bucket."""
    kept = (queues.client, queues.url_of, files.client)
    with mock_aws():
        for cached in kept:
            cached.cache_clear()
        files.client().create_bucket(Bucket=aws.BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        yield Stack()
    for cached in kept:
        cached.cache_clear()


@contextmanager
def at(moment: str) -> Iterator[datetime]:
    """Set the product's clock."""
    now = datetime.fromisoformat(moment).astimezone(UTC)
    with mock.patch.object(clock, "now", return_value=now):
        yield now
