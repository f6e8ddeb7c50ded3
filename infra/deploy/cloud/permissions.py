"""IAM roles: one per function, with the permissions that follow from its queue, its schedule and what it uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.entry.registry import CONSUMERS
from infra.deploy.cloud.functions import API, Function
from infra.deploy.cloud.naming import arn, arn_of, imported, physical, sub
from infra.deploy.cloud.queues import SCHEDULES_DEAD, dead_id, queue_id

Statement = dict[str, Any]
OF_DEAD_LETTERS = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
]

# Where AWS takes nothing narrower than `*`. All else names what it is about.
ONLY_WILDCARD = {
    # Lambda itself does this with the function's role, to reach the database's network; see _NOT_BY_ITSELF.
    "Network": (
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ),
    # The same for projects of CodeBuild, which attach what they make only where `OnlyInOurNetwork` lets them.
    "Building": (
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ),
    # A telephone has no ARN. SNS's own monthly limit of spending is what bounds it.
    "Phones": ("sns:Publish",),
}
BUILDING = ONLY_WILDCARD["Building"]
LOGS_IN = "chalicelib.backing.database_login"


def role(stage: str, function: Function, log_group: str) -> dict[str, Any]:
    """Return the IAM role of one function."""
    statements = _statements(stage, function, log_group)
    return policy("lambda.amazonaws.com", function.name.replace("_", "-"), statements)


def policy(service: str, name: str, statements: list[Statement]) -> dict[str, Any]:
    """Return a role that one AWS service may assume, with one policy."""
    trusted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "Policies": [{"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}],
        },
    }


def operators_statements(stage: str, operator: Function) -> list[Statement]:
    """List permissions of the operators' CLI: its imports, sending to any queue, reading dead-letter queues."""
    known = sorted(CONSUMERS)
    dead = [*(arn(dead_id(queue)) for queue in known), arn(SCHEDULES_DEAD)]
    return [
        *_logging_in(stage, operator),
        allow("Send", ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"], _queues(known)),
        allow("DeadLetters", OF_DEAD_LETTERS, dead),
        *_needed(operator),
    ]


def _statements(stage: str, function: Function, log_group: str) -> list[Statement]:
    statements = [
        allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [arn(log_group)]),
        allow("Network", ONLY_WILDCARD["Network"], "*"),
        _not_by_itself(physical(stage, function.name)),
        *_logging_in(stage, function),
    ]
    if function.sends_to:
        statements.append(allow("Send", ["sqs:GetQueueUrl", "sqs:SendMessage"], _queues(function.sends_to)))
    if function.queue:
        own = [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
        ]
        statements.append(allow("Receive", own, _queues([function.queue])))
    if function.schedule:  # finds who is due and sends: nothing but the database and queues
        statements.append(allow("TellOfFailure", ["sqs:SendMessage"], [arn(SCHEDULES_DEAD)]))
        return statements
    if function.id == API:
        statements.append(allow("Health", ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"], _queues(sorted(CONSUMERS))))
    return statements + _needed(function)


def _needed(function: Function) -> list[Statement]:
    return [one for service in function.uses for one in NEEDS[service]]


def _logging_in(stage: str, function: Function) -> list[Statement]:
    """Let a function that opens connections log in at the database proxy, as the application only."""
    if LOGS_IN not in function.modules:
        return []
    return [allow("LogIn", ["rds-db:connect"], [imported(stage, "database-user")])]


def allow(sid: str, actions: Iterable[str], resources: Any, **condition: Any) -> Statement:
    """Return a policy statement that allows actions on resources, with an optional condition."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def _not_by_itself(name: str) -> Statement:
    # Lambda's service uses the role before our code runs; a call by the code comes with the function as its source.
    return {
        "Sid": "NotByItself",
        "Effect": "Deny",
        "Action": list(ONLY_WILDCARD["Network"]),
        "Resource": "*",
        "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": arn_of("lambda", f"function:{name}")}},
    }


def _queues(queues: Iterable[str]) -> list[dict[str, Any]]:
    return [arn(queue_id(queue)) for queue in queues]


# By the service that an entry point declares with `uses=`, which is a module of `backing`: what that asks of AWS.
NEEDS: dict[str, list[Statement]] = {
    "files": [
        allow(
            "Files",
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"],
            [sub("${FilesBucket.Arn}/tenants/*")],
        ),
        # Without it a file that is not there reads as forbidden.
        allow("ListFiles", ["s3:ListBucket"], [arn("FilesBucket")], StringLike={"s3:prefix": "tenants/*"}),
    ],
    "vault": [
        allow(
            "Keys",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [arn("VaultKey")],
            Null={"kms:EncryptionContext:tenant_id": "false"},  # only with a tenant's encryption context
        )
    ],
    "mail": [
        allow(
            "Mail",
            ["ses:SendEmail", "ses:SendRawEmail"],
            [arn_of("ses", "identity/${MailDomain}"), arn_of("ses", "configuration-set/${MailConfigurationSet}")],
        )
    ],
    "push": [
        allow("Devices", ["sns:Publish"], [arn_of("sns", "endpoint/*")]),
        allow("Phones", ONLY_WILDCARD["Phones"], "*"),
    ],
}
