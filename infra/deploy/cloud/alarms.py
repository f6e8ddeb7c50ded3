"""CloudWatch alarms. All notify one topic, and each names the page of the runbook that says what to do."""

from __future__ import annotations

import re
from typing import Any

from chalicelib.entry.registry import CONSUMERS, SCHEDULES
from infra.deploy.cloud import Resources
from infra.deploy.cloud.functions import functions
from infra.deploy.cloud.naming import physical, ref
from infra.deploy.cloud.queues import SCHEDULES_DEAD, dead_id, queue_id
from infra.deploy.cloud.schedule_windows import is_nightly, window

OLDEST = 1200  # seconds; a message that failed rests for 15 minutes at most between two tries
SLOW = 5000  # milliseconds for one call in a hundred; a cold start with the feature's import takes 2 to 3 seconds
LATE = 4  # hours; a night begins at half past midnight, and people look at it in the morning
# SES looks into an account at 5 % and 0.1 % and stops it at 10 % and 0.5 %: alarm before that. All stages share them.
BOUNCED, COMPLAINED = 0.03, 0.0005
RUNBOOK = "docs/operations/alarms.md"


def resources(stage: str) -> Resources:
    """Return the alarms of every queue, function and schedule, and those of our own metrics."""
    alarms: Resources = {}
    for queue in sorted(CONSUMERS):
        alarms |= _of_queue(queue)
    alarms[f"{SCHEDULES_DEAD}Alarm"] = _dead(SCHEDULES_DEAD, "A schedule could not be run; see its function's log.")
    for function in functions():
        alarms |= _of_function(function.id)
        if function.schedule:
            alarms |= _of_schedule(stage, function.id, function.schedule)
    return alarms | _of_api(stage) | _of_mail() | _of_product(our_metrics(stage))


def our_metrics(stage: str) -> str:
    """Return the namespace of the product's own metrics, one per stage; functions get it by their environment."""
    return f"Wagebook/{stage}"


def anchor(metric: str) -> str:
    """Return the runbook's heading of a metric as its page links to it."""
    return re.sub(r"[^\w-]", "", metric.lower())


def alarm(
    description: str,
    namespace: str,
    metric: str,
    dimensions: dict[str, Any],
    *,
    above: float | None = None,
    below: float | None = None,
    statistic: str = "Sum",
    minutes: int = 5,
    of: int = 1,
    at_least: int = 1,
    missing: str = "notBreaching",  # nothing happened, or nothing is there
) -> dict[str, Any]:
    """Describe an alarm that notifies the topic when `at_least` of the last `of` periods breached, and again once over.

    A `statistic` may be a percentile, `p99`, which is ignored where there were too few values for one.
    """
    percentile = re.fullmatch(r"p\d+(\.\d+)?", statistic)
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": f"{description} Runbook: {RUNBOOK}#{anchor(metric)}",
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            **(
                {"ExtendedStatistic": statistic, "EvaluateLowSampleCountPercentile": "ignore"}
                if percentile
                else {"Statistic": statistic}
            ),
            "Period": 60 * minutes,
            "EvaluationPeriods": of,
            "DatapointsToAlarm": at_least,
            "ComparisonOperator": "GreaterThanThreshold" if below is None else "LessThanThreshold",
            "Threshold": above if below is None else below,
            "TreatMissingData": missing,
            "AlarmActions": [ref("AlarmTopic")],
            "OKActions": [ref("AlarmTopic")],
        },
    }


def _of_queue(queue: str) -> Resources:
    return {
        f"{queue_id(queue)}AgeAlarm": alarm(
            f"Messages of {queue} wait too long: does its consumer fail, or is it too slow for what comes?",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            _name_of(queue_id(queue)),
            above=OLDEST,
            statistic="Maximum",
        ),
        f"{dead_id(queue)}Alarm": _dead(dead_id(queue), f"Messages of {queue} failed for good: read, then replay."),
    }


def _of_function(function: str) -> Resources:
    dimensions = {"FunctionName": ref(function)}
    return {
        f"{function}ErrorsAlarm": alarm(
            "The function itself fails: it does not start, runs out of time or memory, or its schedule's work fails.",
            "AWS/Lambda",
            "Errors",
            dimensions,
            above=0,
            of=3,
            at_least=2,
        ),
        f"{function}ThrottlesAlarm": alarm(
            "The account's concurrency is used up: which function takes it?",
            "AWS/Lambda",
            "Throttles",
            dimensions,
            above=0,
            of=3,
            at_least=2,
        ),
    }


def _of_schedule(stage: str, function: str, name: str) -> Resources:
    minutes, periods = window(SCHEDULES[name].expression)
    alarms = {
        f"{function}SilentAlarm": alarm(
            f"The schedule {name} does not fire any more, or whatever it calls is gone.",
            "AWS/Lambda",
            "Invocations",
            {"FunctionName": ref(function)},
            below=1,
            minutes=minutes,
            of=periods,
            at_least=periods,
            missing="breaching",
        )
    }
    if is_nightly(SCHEDULES[name]):  # each round counts who is still due: none in at least one round an hour is well
        alarms[f"{function}LateAlarm"] = alarm(
            f"For {LATE} hours there was always a tenant whose night ({name}) is not done.",
            our_metrics(stage),
            "Scheduled",
            {"schedule": name},
            above=0,
            statistic="Minimum",
            minutes=60,
            of=LATE,
            at_least=LATE,
        )
    return alarms


def _of_api(stage: str) -> Resources:
    name = {"ApiName": physical(stage, "api")}
    return {
        "ApiFaultsAlarm": alarm(  # our own 500s are answers, which Lambda counts as successes
            "People get 5xx: see the API's log for the request ids, and /health.",
            "AWS/ApiGateway",
            "5XXError",
            name,
            above=0,
            of=3,
            at_least=2,
        ),
        "ApiLatencyAlarm": alarm(
            "One call in a hundred takes too long: is it one door, or the database?",
            "AWS/ApiGateway",
            "Latency",
            name,
            above=SLOW,
            statistic="p99",
            of=3,
            at_least=3,
        ),
    }


def _of_mail() -> Resources:
    template = "Soon SES sends no mail for this account any more: who {}?"
    rates = {"Bounce": (BOUNCED, "bounces"), "Complaint": (COMPLAINED, "complains")}
    return {
        f"Mail{kind}Alarm": alarm(  # no value comes while nothing is sent, and nothing is better by that
            template.format(who),
            "AWS/SES",
            f"Reputation.{kind}Rate",
            {},
            above=most,
            statistic="Average",
            minutes=60,
            missing="ignore",
        )
        for kind, (most, who) in rates.items()
    }


def _of_product(namespace: str) -> Resources:
    return {
        "OutboxLagAlarm": alarm(
            "Committed messages were not sent for five minutes: is SQS reachable, and may the sweep send?",
            namespace,
            "OutboxLag",
            {},
            above=0,
            statistic="Maximum",
            minutes=1,
            of=5,
            at_least=5,
        ),
        "PayoutsInReviewAlarm": alarm(
            "A payout needs a person: find out from the provider whether it was paid, and say so with /resolve.",
            namespace,
            "PayoutsInReview",
            {},
            above=0,
        ),
    }


def _dead(queue: str, description: str) -> dict[str, Any]:
    return alarm(
        description, "AWS/SQS", "ApproximateNumberOfMessagesVisible", _name_of(queue), above=0, statistic="Maximum"
    )


def _name_of(queue: str) -> dict[str, Any]:
    return {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}}
