"""Check that each role allows what the function's code calls in AWS, and nothing by a wildcard."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from chalicelib.entry.registry import CONSUMERS
from infra.deploy.cloud.checks import Template, of_type, target
from infra.deploy.cloud.functions import API, Function, functions
from infra.deploy.cloud.operations import MADE, OPERATOR
from infra.deploy.cloud.permissions import BUILDING, LOGS_IN, OF_DEAD_LETTERS, ONLY_WILDCARD
from infra.deploy.cloud.queues import SCHEDULES_DEAD, dead_id, queue_id

# By the method of boto3: what IAM calls it, where that is not its name in capitals. A signed link is used as its maker.
ACTIONS = {
    "delete_objects": ("s3:DeleteObject",),
    "list_objects_v2": ("s3:ListBucket",),
    "generate_presigned_post": ("s3:PutObject", "s3:PutObjectTagging"),
    "generate_presigned_url": ("s3:GetObject",),
    "send_message_batch": ("sqs:SendMessage",),
    "send_email": ("ses:SendEmail", "ses:SendRawEmail"),
}
POLLING = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}  # what Lambda does as the function
CONSUMING = POLLING | {"sqs:ChangeMessageVisibility", "sqs:GetQueueUrl"}
SENDING = {"sqs:GetQueueUrl", "sqs:SendMessage"}
# What CodeBuild does as the project: takes its source, and attaches itself to the network.
PROJECTS_OWN = {
    "ec2:CreateNetworkInterfacePermission",
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:GetObjectVersion",
}
QUEUES = "chalicelib.backing.queues"  # is about one queue or another: see _by_queue


def problems(template: Template) -> list[str]:
    """List permissions that are missing, and those by wildcards, as `role: what`."""
    roles = of_type(template, "AWS::IAM::Role")
    messages = wildcards(template)
    for function in (*functions(), OPERATOR):
        allowed = _allowed(roles.get(function.role_id, {}))
        messages += [f"{function.role_id}: lacks {action}" for action in sorted(_called(function) - set(allowed))]
        for queue, actions in _by_queue(function):
            lacking = {one for one in actions if queue not in allowed.get(one, set())}
            messages += [f"{function.role_id}: lacks {action} on {queue}" for action in sorted(lacking)]
        if function.schedule and SCHEDULES_DEAD not in allowed.get("sqs:SendMessage", set()):
            messages.append(f"{function.role_id}: lacks sqs:SendMessage for what failed")
    if not any(
        "s3:PutObject" in one["Action"] and f"/{MADE}/*" in str(one["Resource"])
        for one in _statements(roles.get(OPERATOR.role_id, {}))
    ):
        messages.append(f"{OPERATOR.role_id}: lacks s3:PutObject for what commands made")
    return messages


def wildcards(template: Template) -> list[str]:
    """List what roles of any template are allowed by a wildcard, as `role: what`."""
    roles = of_type(template, "AWS::IAM::Role")
    return [f"{name}: {what}" for name, role in roles.items() for what in _wildcards(_statements(role))]


def _called(function: Function) -> set[str]:
    """Return the IAM actions that follow from a function's code; a schedule only reads the database and sends."""
    network = {*BUILDING, *PROJECTS_OWN} if function == OPERATOR else ONLY_WILDCARD["Network"]
    of_all = {"logs:CreateLogStream", "logs:PutLogEvents", *network}
    if function.schedule:
        return of_all | {"sqs:SendMessage"} | (_called_in(LOGS_IN) if LOGS_IN in function.modules else set())
    return of_all.union(*(_called_in(module) for module in function.modules if module != QUEUES))


@cache
def _called_in(module: str) -> frozenset[str]:
    source = inspect.getsource(import_module(module))
    if signed := re.search(r'SigV4QueryAuth\(.*?"([\w-]+)"', source):  # a link that is signed here, and used elsewhere
        return frozenset(f"{signed[1]}:{action}" for action in re.findall(r"""["']Action["']: ["'](\w+)""", source))
    services = set(re.findall(r'boto3\.client\(\s*"(\w+)"', source))
    if not services:
        return frozenset()
    [service] = services
    methods = re.findall(r"\b(?:client|kms)\(\)\.(\w+)\(", source)
    return frozenset(action for method in methods for action in ACTIONS.get(method, (_action(service, method),)))


def _action(service: str, method: str) -> str:
    return f"{service}:{''.join(word.title() for word in method.split('_'))}"


def _by_queue(function: Function) -> Iterator[tuple[str, set[str]]]:
    """Yield queues by their names in the template, with the actions that the function needs on them."""
    if function == OPERATOR:
        yield from ((queue_id(queue), SENDING | {"sqs:GetQueueAttributes"}) for queue in CONSUMERS)
        yield from ((queue, set(OF_DEAD_LETTERS)) for queue in (*map(dead_id, CONSUMERS), SCHEDULES_DEAD))
        return
    if function.queue:
        yield queue_id(function.queue), CONSUMING
    if function.id == API:  # GET /health reads the queues
        yield from ((queue_id(queue), {"sqs:GetQueueAttributes", "sqs:GetQueueUrl"}) for queue in CONSUMERS)
    yield from ((queue_id(queue), SENDING) for queue in function.sends_to)


def _statements(role: Template) -> list[Template]:
    return [one for policy in role.get("Policies", []) for one in policy["PolicyDocument"]["Statement"]]


def _allowed(role: Template) -> dict[str, set[str | None]]:
    """Return the names of the resources that a role allows, by action."""
    resources: dict[str, set[str | None]] = {}
    for one in _statements(role):
        if one["Effect"] == "Allow":
            for action in one["Action"]:
                resources.setdefault(action, set()).update(map(target, _listed(one["Resource"])))
    return resources


def _wildcards(statements: list[Template]) -> Iterator[str]:
    excused = {action for actions in ONLY_WILDCARD.values() for action in actions}
    for one in statements:
        if one["Effect"] != "Allow":
            continue
        yield from (f"allows {action}" for action in _listed(one["Action"]) if "*" in action)
        for resource in map(str, _listed(one["Resource"])):
            # a star may stand only for what is below a name of ours, as in .../tenants/*
            if resource == "*" and not excused.issuperset(one["Action"]):
                yield f"allows {', '.join(one['Action'])} on everything"
            elif resource != "*" and "*" in re.sub(r"/\*'(?=[,}])", "", resource):
                yield f"allows {', '.join(one['Action'])} on {resource}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
