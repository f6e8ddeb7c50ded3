"""How each function runs: memory, timeout, logs, concurrency, retries and dead letters."""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import Resources, gateway, permissions
from infra.deploy.cloud.functions import API, Function, functions
from infra.deploy.cloud.naming import arn, physical, ref, sub
from infra.deploy.cloud.queues import LONGEST_CONSUMER, SCHEDULES_DEAD, queue_id

MEMORY = 1024  # MB; CPU comes with it: 1,769 MB are one core
API_TIMEOUT = 29  # seconds; API Gateway waits no longer
AT_ONCE = 50  # batches of one consumer that says no bound of its own: the database is what all of them share
LOGS_KEPT = 90  # days
TRIES = 2  # again, after the first; a schedule that was missed is caught up by the next round
TRIES_END_AFTER = 900  # seconds


def resources(stage: str) -> Resources:
    """Return each function's log group, role, and the properties that Chalice leaves out."""
    templates: Resources = {}
    for function in functions():
        templates[log_group_id(function)] = {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                # Before the function, which would make a log group that keeps its logs for ever.
                "LogGroupName": f"/aws/lambda/{physical(stage, function.name)}",
                "RetentionInDays": LOGS_KEPT,
            },
        }
        templates[function.role_id] = permissions.role(stage, function, log_group_id(function))
        templates[function.id] = {"Properties": _properties(stage, function)}  # its type is Chalice's to say
    return templates


def log_group_id(function: Function) -> str:
    """Return the template's name of a function's log group, as Chalice would."""
    return f"{function.id}LogGroup"


def _properties(stage: str, function: Function) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "FunctionName": physical(stage, function.name),
        "MemorySize": MEMORY,
        "Timeout": API_TIMEOUT if function.id == API else LONGEST_CONSUMER,
        "Role": arn(function.role_id),
        "LoggingConfig": {"LogGroup": ref(log_group_id(function))},
    }
    if function.id == API and stage == "prod":  # a new account has no 200 to keep, and dev has to fit into one
        properties["ReservedConcurrentExecutions"] = gateway.AT_ONCE
    if function.queue:
        properties["Events"] = {function.event_id: {"Properties": _from_queue(function.queue, function.at_once)}}
    if function.schedule:
        properties["Events"] = {function.event_id: {"Properties": _from_schedule(stage, function.schedule)}}
        # EventBridge only hands over: what the function itself fails at is for Lambda to try again.
        properties["EventInvokeConfig"] = {
            "MaximumRetryAttempts": TRIES,
            "MaximumEventAgeInSeconds": TRIES_END_AFTER,
            "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": arn(SCHEDULES_DEAD)}},
        }
    return properties


def _from_queue(queue: str, at_once: int | None) -> dict[str, Any]:
    return {
        "Queue": sub(f"${{{queue_id(queue)}.Arn}}"),  # in the form of Chalice's own, or the merge would keep both
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": at_once or AT_ONCE},
    }


def _from_schedule(stage: str, schedule: str) -> dict[str, Any]:
    return {
        "Name": physical(stage, schedule),
        "RetryPolicy": {"MaximumRetryAttempts": TRIES, "MaximumEventAgeInSeconds": TRIES_END_AFTER},
        "DeadLetterConfig": {"Arn": arn(SCHEDULES_DEAD)},
    }
