"""SQS queues: one per consumer, each with its dead-letter queue, and a dead-letter queue of schedules."""

from typing import Any

from chalicelib.backing import queues
from chalicelib.entry.registry import CONSUMERS, SCHEDULES
from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import arn, arn_of, logical, physical, ref, sub

LONGEST_CONSUMER = 30  # seconds
VISIBLE_AGAIN_AFTER = 6 * LONGEST_CONSUMER  # as AWS advises: a throttled batch must not come back while it is tried
KEPT = 4 * 24 * 3600
KEPT_DEAD = 14 * 24 * 3600  # a dead letter's age is counted from its first sending, so longer than KEPT
SCHEDULES_DEAD = "SchedulesDeadQueue"


def resources(stage: str) -> Resources:
    """Return all queues, and policies for the AWS services that send to them."""
    resources_by_name: Resources = {}
    for queue in sorted(CONSUMERS):
        resources_by_name |= _queue(stage, queue)
    resources_by_name[SCHEDULES_DEAD] = _dead(physical(stage, f"schedules{queues.DEAD}"), [])
    rules = [arn_of("events", f"rule/{physical(stage, name)}") for name in sorted(SCHEDULES)]
    resources_by_name[f"{SCHEDULES_DEAD}Policy"] = let_send(SCHEDULES_DEAD, "events.amazonaws.com", rules)
    return resources_by_name


def queue_id(queue: str) -> str:
    """Return the template's name of a consumer's queue."""
    return logical(queue) + "Queue"


def dead_id(queue: str) -> str:
    """Return the template's name of a consumer's dead-letter queue."""
    return logical(queue) + "DeadQueue"


def let_send(queue: str, service: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a policy that lets an AWS service send to a queue, only on behalf of these sources of this account."""
    condition: dict[str, Any] = {"ArnEquals": {"aws:SourceArn": sources}}
    if service.startswith("s3."):  # a bucket's ARN names no account; the others' do
        condition["StringEquals"] = {"aws:SourceAccount": sub("${AWS::AccountId}")}
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [ref(queue)],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": service},
                        "Action": "sqs:SendMessage",
                        "Resource": arn(queue),
                        "Condition": condition,
                    }
                ],
            },
        },
    }


def _queue(stage: str, queue: str) -> Resources:
    name = physical(stage, queue)
    return {
        queue_id(queue): {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": name,
                "VisibilityTimeout": VISIBLE_AGAIN_AFTER,
                "MessageRetentionPeriod": KEPT,
                "ReceiveMessageWaitTimeSeconds": 20,
                "SqsManagedSseEnabled": True,
                "RedrivePolicy": {"deadLetterTargetArn": arn(dead_id(queue)), "maxReceiveCount": queues.MAX_RECEIVES},
            },
        },
        dead_id(queue): _dead(name + queues.DEAD, [arn_of("sqs", name)]),
    }


def _dead(name: str, sources: list[dict[str, str]]) -> dict[str, Any]:
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": sources} if sources else None
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "QueueName": name,
            "MessageRetentionPeriod": KEPT_DEAD,
            "SqsManagedSseEnabled": True,
            **(
                {"RedriveAllowPolicy": allowed} if allowed else {"RedriveAllowPolicy": {"redrivePermission": "denyAll"}}
            ),
        },
    }
