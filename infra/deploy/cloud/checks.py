"""Invariants of the finished template: queues, alarms, functions, events, nothing public. Reads the template alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from chalicelib.backing import queues

Template = dict[str, Any]
FUNCTION = "AWS::Serverless::Function"


def problems(template: Template) -> list[str]:
    """List what is wrong, as `resource: what`; an empty list where nothing is."""
    return [
        f"{name}: {what}"
        for check in (_queues, _alarms, _functions, _events, nothing_public)
        for name, what in check(template)
    ]


def of_type(template: Template, kind: str) -> dict[str, Template]:
    """Return the properties of all resources of a type, by name."""
    resources = template["Resources"].items()
    return {name: resource.get("Properties", {}) for name, resource in resources if resource["Type"] == kind}


def target(reference: Any) -> str | None:
    """Return the name that a reference (Ref, GetAtt, or `${Name.Arn}`) leads to."""
    if not isinstance(reference, dict):
        return None
    if "Fn::Sub" in reference:
        match = re.fullmatch(r"\$\{(\w+)\.Arn\}", str(reference["Fn::Sub"]))
        return match.group(1) if match else None
    name: str | None = (
        reference.get("Ref") or reference.get("Fn::ImportValue") or (reference.get("Fn::GetAtt") or [None])[0]
    )
    return name


def dead(template: Template) -> set[str | None]:
    """Return the names of dead-letter queues, those of queues and those of schedules."""
    names = {target(one["RedrivePolicy"]["deadLetterTargetArn"]) for one in _plain(template).values() if _redrives(one)}
    for function in of_type(template, FUNCTION).values():
        names |= {target(event["Properties"].get("DeadLetterConfig", {}).get("Arn")) for event in _events_of(function)}
    return names - {None}


def notifies(template: Template, alarm: Template) -> bool:
    """Return whether an alarm notifies a topic, of its own template or imported."""
    named = [target(one) or "" for one in alarm.get("AlarmActions", [])]
    topics = of_type(template, "AWS::SNS::Topic")
    return bool(named) and all(one in topics or one.endswith("-alarm-topic") for one in named)


def _plain(template: Template) -> dict[str, Template]:
    return of_type(template, "AWS::SQS::Queue")


def _redrives(queue: Template) -> bool:
    return "RedrivePolicy" in queue


def _events_of(function: Template) -> list[Template]:
    return list(function.get("Events", {}).values())


def _queues(template: Template) -> Iterator[tuple[str, str]]:
    all_queues, dead_ones = _plain(template), dead(template)
    for name in sorted(one for one in dead_ones if one and one not in all_queues):
        yield name, "is where others leave dead letters, and is not there"
    for name, properties in all_queues.items():
        if not (properties.get("SqsManagedSseEnabled") or properties.get("KmsMasterKeyId")):
            yield name, "is not encrypted"
        if name in dead_ones:
            continue
        if not _redrives(properties):
            yield name, "has no dead-letter queue"
        elif properties["RedrivePolicy"]["maxReceiveCount"] != queues.MAX_RECEIVES:
            yield name, f"gives up after other than the {queues.MAX_RECEIVES} tries that consumers count"
    for name, function in of_type(template, FUNCTION).items():
        for event in _events_of(function):
            queue = all_queues.get(str(target(event["Properties"].get("Queue"))))
            if queue is not None and queue.get("VisibilityTimeout", 30) < 6 * function.get("Timeout", 3):
                yield name, "has a queue whose messages come back before six times its timeout"


def _alarms(template: Template) -> Iterator[tuple[str, str]]:
    watched = set()
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        if not notifies(template, alarm):
            yield name, "tells nobody"
        watched |= {(alarm["MetricName"], target(one["Value"])) for one in alarm["Dimensions"]}
    dead_ones = dead(template)
    for name in _plain(template):
        metric = "ApproximateNumberOfMessagesVisible" if name in dead_ones else "ApproximateAgeOfOldestMessage"
        if (metric, name) not in watched:
            yield name, f"has no alarm of {metric}"
    for name, function in of_type(template, FUNCTION).items():
        is_scheduled = any(event["Type"] == "Schedule" for event in _events_of(function))
        for metric in ("Errors", "Throttles", *(["Invocations"] if is_scheduled else [])):
            if (metric, name) not in watched:
                yield name, f"has no alarm of {metric}"
    named = {one["MetricName"] for one in of_type(template, "AWS::CloudWatch::Alarm").values()}
    for metric in sorted({"5XXError", "Latency", "OutboxLag", "PayoutsInReview"} - named):
        yield "Wagebook", f"has no alarm of {metric}"


def _functions(template: Template) -> Iterator[tuple[str, str]]:
    groups, roles = of_type(template, "AWS::Logs::LogGroup"), of_type(template, "AWS::IAM::Role")
    owners: dict[str | None, str] = {}
    for name, function in of_type(template, FUNCTION).items():
        for name_of_property in ("MemorySize", "Timeout", "FunctionName"):
            if not function.get(name_of_property):
                yield name, f"has no {name_of_property}"
        group = groups.get(str(target(function.get("LoggingConfig", {}).get("LogGroup"))))
        if group is None:
            yield name, "has no log group of its own"
        elif (
            not group.get("RetentionInDays")
            or group.get("LogGroupName") != f"/aws/lambda/{function.get('FunctionName')}"
        ):
            yield name, "has logs that are kept for ever, or are called otherwise than the function"
        role = target(function.get("Role"))
        if role not in roles:
            yield name, "has no role"
        elif role in owners:
            yield name, f"shares its role with {owners[role]}"
        owners[role] = name


def _events(template: Template) -> Iterator[tuple[str, str]]:
    for name, function in of_type(template, FUNCTION).items():
        for event in _events_of(function):
            properties = event["Properties"]
            if event["Type"] == "SQS":
                if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
                    yield name, "does a whole batch again where one message failed"
                if not properties.get("ScalingConfig", {}).get("MaximumConcurrency"):
                    yield name, "has no bound of how many run at once"
                if target(properties.get("Queue")) not in _plain(template):
                    yield name, "is called by a queue that is not there"
            if event["Type"] == "Schedule":
                if not properties.get("RetryPolicy") or not properties.get("DeadLetterConfig"):
                    yield name, "has a schedule without retry policy or dead-letter queue"
                if f"rule/{properties.get('Name')}" not in _sources(
                    template, properties.get("DeadLetterConfig", {}).get("Arn")
                ):
                    yield name, "has a schedule that may not leave dead letters"
                if not function.get("EventInvokeConfig", {}).get("DestinationConfig"):
                    yield name, "fails without leaving a dead letter"


def _sources(template: Template, queue: Any) -> set[str]:
    """Return, without account and region, what services may send to a queue on behalf of."""
    return {
        str(source.get("Fn::Sub", "")).rpartition(":")[2]
        for policy in of_type(template, "AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if target(queue) in map(target, policy["Queues"])
        for source in statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    }


def nothing_public(template: Template) -> Iterator[tuple[str, str]]:
    """Find what may be read or reached by anybody, in any template."""
    closed = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    for name, properties in of_type(template, "AWS::S3::Bucket").items():
        if {word for word, is_set in properties.get("PublicAccessBlockConfiguration", {}).items() if is_set} != closed:
            yield name, "may become public"
        for word in ("BucketEncryption", "LifecycleConfiguration", "VersioningConfiguration"):
            if not properties.get(word):
                yield name, f"has no {word}"
    for name, resource in template["Resources"].items():
        if resource["Type"].endswith("::FunctionUrl") or "FunctionUrlConfig" in resource.get("Properties", {}):
            yield name, "is reached past the gateway"
        statements = resource.get("Properties", {}).get("PolicyDocument", {}).get("Statement", [])
        for one in statements:
            open_to_all = "*" in _principals(one.get("Principal"))
            if one["Effect"] == "Allow" and open_to_all:
                yield name, "lets anybody in"
            if one["Effect"] == "Allow" and "Service" in (one.get("Principal") or {}) and "Condition" not in one:
                yield name, "lets a service in on anybody's behalf"


def _principals(principal: Any) -> list[Any]:
    if not isinstance(principal, dict):
        return [principal]
    return [one for value in principal.values() for one in (value if isinstance(value, list) else [value])]
