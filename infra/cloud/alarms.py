"""What wakes somebody: everything goes to one topic, and each alarm says in its description what to do first."""

from __future__ import annotations

from typing import Any

from chalicelib.entry.registry import CONSUMERS
from infra.cloud import Resources
from infra.cloud.functions import functions
from infra.cloud.naming import physical, ref
from infra.cloud.queueing import SCHEDULES_DEAD, dead_id, queue_id
from infra.cloud.running import log_group_id

OLDEST = 1200  # seconds; a message that failed rests for 15 minutes at most between two tries
OUR_METRICS = "Wagebook"
# The line that a payout writes when nobody but a person can tell what became of it, and the module that writes it.
IN_REVIEW = "a payout needs a person"
WRITES_IN_REVIEW = "chalicelib.features.payouts.moving"


def resources(stage: str) -> Resources:
    """This will make the alarms of every queue and function, and those of our own metrics."""
    made: Resources = {}
    for queue in sorted(CONSUMERS):
        made |= _of_queue(queue)
    made[f"{SCHEDULES_DEAD}Alarm"] = _dead(SCHEDULES_DEAD, "A schedule could not be run; see its function's log.")
    for function in functions():
        made |= _of_function(function.id)
    made["ApiFaultsAlarm"] = _alarm(  # our own 500s are answers, which Lambda counts as successes
        "People get 5xx: see the API's log for the request ids, and /health.",
        "AWS/ApiGateway", "5XXError", {"ApiName": physical(stage, "api")}, above=0, of=3, at_least=2,
    )  # fmt: skip
    made["OutboxLagAlarm"] = _alarm(
        "The outbox had old messages for five minutes: sends after commits fail. See Unsent by queue.",
        OUR_METRICS, "Scheduled", {"schedule": "sweep-outbox"}, above=0, minutes=1, of=5, at_least=5,
    )  # fmt: skip
    return made | _in_review(stage)


def _of_queue(queue: str) -> Resources:
    return {
        f"{queue_id(queue)}AgeAlarm": _alarm(
            f"Messages of {queue} wait too long: does its consumer fail, or is it too slow for what comes?",
            "AWS/SQS", "ApproximateAgeOfOldestMessage", _name_of(queue_id(queue)),
            above=OLDEST, statistic="Maximum",
        ),
        f"{dead_id(queue)}Alarm": _dead(dead_id(queue), f"Messages of {queue} failed for good: read, then replay."),
        f"{queue_id(queue)}UnsentAlarm": _alarm(
            f"Messages for {queue} could not be sent: is SQS reachable, and may the sender send?",
            OUR_METRICS, "Unsent", {"queue": queue}, above=0, of=3, at_least=2,
        ),
    }  # fmt: skip


def _of_function(function: str) -> Resources:
    dimensions = {"FunctionName": ref(function)}
    return {
        f"{function}ErrorsAlarm": _alarm(
            "The function itself fails: it does not start, runs out of time or memory, or its schedule's work fails.",
            "AWS/Lambda", "Errors", dimensions, above=0, of=3, at_least=2,
        ),
        f"{function}ThrottlesAlarm": _alarm(
            "The account's concurrency is used up: which function takes it?",
            "AWS/Lambda", "Throttles", dimensions, above=0, of=3, at_least=2,
        ),
    }  # fmt: skip


def _in_review(stage: str) -> Resources:
    """This will count the line in the logs of every function that can write it, and tell of the first."""
    namespace = f"{OUR_METRICS}/{stage}"
    made: Resources = {
        f"{function.id}InReview": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": ref(log_group_id(function)),
                "FilterPattern": f'{{ $.message = "{IN_REVIEW}" }}',
                "MetricTransformations": [
                    {"MetricNamespace": namespace, "MetricName": "PayoutsInReview", "MetricValue": "1"}
                ],
            },
        }
        for function in functions()
        if WRITES_IN_REVIEW in function.modules
    }
    made["PayoutsInReviewAlarm"] = _alarm(
        "A payout needs a person: find out from the provider whether it was paid, and say so with /resolve.",
        namespace, "PayoutsInReview", {}, above=0,
    )  # fmt: skip
    return made


def _dead(queue: str, said: str) -> dict[str, Any]:
    return _alarm(said, "AWS/SQS", "ApproximateNumberOfMessagesVisible", _name_of(queue), above=0, statistic="Maximum")


def _name_of(queue: str) -> dict[str, Any]:
    return {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}}


def _alarm(
    said: str,
    namespace: str,
    metric: str,
    dimensions: dict[str, Any],
    *,
    above: int,
    statistic: str = "Sum",
    minutes: int = 5,
    of: int = 1,
    at_least: int = 1,
) -> dict[str, Any]:
    """This will tell the topic when `at_least` of the last `of` periods were above a value, and when it is over."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": said,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Statistic": statistic,
            "Period": 60 * minutes,
            "EvaluationPeriods": of,
            "DatapointsToAlarm": at_least,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": above,
            "TreatMissingData": "notBreaching",  # nothing happened, or nothing is there
            "AlarmActions": [ref("AlarmTopic")],
            "OKActions": [ref("AlarmTopic")],
        },
    }
