"""SQS, loaded only when something is sent: boto3 costs 230 ms that a read never has to pay."""

import json
import os
from functools import cache
from typing import Any

MAX_RECEIVES = 5  # then a message goes to its dead-letter queue, as infra's redrive policies say
DEAD = "-dead"


@cache
def client() -> Any:
    """This will make the process's SQS client."""
    import boto3

    return boto3.client("sqs")


@cache
def url_of(queue: str) -> str:
    """This will find a queue's address by our short name for it."""
    return str(client().get_queue_url(QueueName=configured_name(queue))["QueueUrl"])


def send(queue: str, body: dict[str, Any]) -> None:
    """This will put one message on a queue."""
    client().send_message(QueueUrl=url_of(queue), MessageBody=json.dumps(body))


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
