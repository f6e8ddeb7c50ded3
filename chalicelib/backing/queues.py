"""Queues in SQS; boto3 is loaded only when a message is sent, as its 230 ms would slow the first read."""

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

from chalicelib.backing.log import logger

MAX_RECEIVES = 5  # then a message goes to its dead-letter queue, by the redrive policies of infra/deploy
DEAD = "-dead"


@cache
def client() -> Any:
    """Return the process's SQS client, which gives up early: a request has 29 seconds for everything."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
    return boto3.client("sqs", config=config)


@cache
def url_of(queue: str) -> str:
    """Return a queue's URL by our short name for it."""
    return str(client().get_queue_url(QueueName=configured_name(queue))["QueueUrl"])


def send_many(queue: str, bodies: Sequence[dict[str, Any]]) -> list[bool]:
    """Send messages to a queue, ten per call, and return for each whether SQS accepted it.

    If SQS refuses a call as a whole, for instance because one message is too long, each is sent by itself, so that
    only that one is refused. Raises if SQS cannot be reached.

    Each message is in its tenant's group and the groups are served in turn, so that one tenant's thousands do not
    delay other tenants (SQS fair queues: message groups on a standard queue).
    """
    taken: list[bool] = []
    for batch in _batches_of_ten(bodies):
        entries = [{"Id": str(place), **_entry(body)} for place, body in enumerate(batch)]
        done = _send_batch(queue, entries)
        taken += [entry["Id"] in done for entry in entries]
    return taken


def _send_batch(queue: str, entries: Sequence[dict[str, str]]) -> set[str]:
    """Send one call's messages, and return the ids of those that SQS accepted."""
    from botocore.exceptions import ClientError

    try:
        answer = client().send_message_batch(QueueUrl=url_of(queue), Entries=entries)
    except ClientError:  # SQS answered, and accepted none
        if len(entries) == 1:
            logger.exception("a message was refused", queue=queue)
            return set()
        return {taken for entry in entries for taken in _send_batch(queue, [entry])}
    return {entry["Id"] for entry in answer.get("Successful", [])}


def _batches_of_ten(bodies: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(bodies)
    while batch := list(islice(rest, 10)):
        yield batch


def _entry(body: dict[str, Any]) -> dict[str, str]:
    return {"MessageBody": json.dumps(body), "MessageGroupId": str(body["tenant_id"])}


def back_off(queue: str, *, receipt: str, receives: int) -> None:
    """Delay a failed message's next attempt (exponential backoff): 10 s, 40 s, 160 s, ..., at most 15 minutes.

    Never raises: if SQS does not answer, the message comes back when its visibility timeout ends, and the others of
    its batch are settled.
    """
    try:
        client().change_message_visibility(
            QueueUrl=url_of(queue), ReceiptHandle=receipt, VisibilityTimeout=min(10 * 4 ** (receives - 1), 900)
        )
    except Exception:  # whatever is wrong: only the delay is lost, the message comes back anyway
        logger.warning("a message could not be let rest", queue=queue, exc_info=True)


def reachable(queue: str) -> bool:
    """Return whether a queue answers."""
    try:
        client().get_queue_attributes(QueueUrl=url_of(queue), AttributeNames=["QueueArn"])
    except Exception:  # whatever is wrong with the queue, the answer is no
        return False
    return True


def configured_name(queue: str) -> str:
    """Return a queue's full name, with the prefix that is set when handlers are registered or packaged."""
    return os.environ.get("QUEUE_PREFIX", "wagebook-") + queue
