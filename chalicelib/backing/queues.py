"""SQS, loaded only when something is sent: boto3 costs 230 ms that a read never has to pay."""

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

MAX_RECEIVES = 5  # then a message goes to its dead-letter queue, as infra's redrive policies say
DEAD = "-dead"


@cache
def client() -> Any:
    """This will make the process's SQS client, which gives up early enough for its caller to say so in 29 seconds."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
    return boto3.client("sqs", config=patience)


@cache
def url_of(queue: str) -> str:
    """This will find a queue's address by our short name for it."""
    return str(client().get_queue_url(QueueName=configured_name(queue))["QueueUrl"])


def send_many(queue: str, bodies: Sequence[dict[str, Any]]) -> list[bool]:
    """This will put messages on a queue, ten to a call, and tell of each whether it was taken.

    Each is in its tenant's group, and a queue serves the groups in turn, so that one tenant's thousands keep no other
    waiting (SQS fair queues: a group on a standard queue).
    """
    taken: list[bool] = []
    for batch in _tens(bodies):
        entries = [{"Id": str(place), **_entry(body)} for place, body in enumerate(batch)]
        answer = client().send_message_batch(QueueUrl=url_of(queue), Entries=entries)
        done = {entry["Id"] for entry in answer.get("Successful", [])}
        taken += [entry["Id"] in done for entry in entries]
    return taken


def _tens(bodies: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(bodies)
    while batch := list(islice(rest, 10)):
        yield batch


def _entry(body: dict[str, Any]) -> dict[str, str]:
    return {"MessageBody": json.dumps(body), "MessageGroupId": str(body["tenant_id"])}


def back_off(queue: str, *, receipt: str, receives: int) -> None:
    """This will let a failed message rest before its next try: 10 s, 40 s, 160 s, ..., at most 15 minutes."""
    client().change_message_visibility(
        QueueUrl=url_of(queue), ReceiptHandle=receipt, VisibilityTimeout=min(10 * 4 ** (receives - 1), 900)
    )


def reachable(queue: str) -> bool:
    """This will tell whether a queue answers."""
    try:
        client().get_queue_attributes(QueueUrl=url_of(queue), AttributeNames=["QueueArn"])
    except Exception:  # whatever is wrong with the queue, the answer is no
        return False
    return True


def configured_name(queue: str) -> str:
    """This will give a queue's full name at import time, when handlers are registered or packaged."""
    return os.environ.get("QUEUE_PREFIX", "wagebook-") + queue
