"""What each function may do in AWS: one role per function, and nothing that its code does not import."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.entry.registry import CONSUMERS
from infra.cloud.functions import API, Function
from infra.cloud.naming import arn, arn_of, physical, sub
from infra.cloud.queueing import SCHEDULES_DEAD, queue_id

Statement = dict[str, Any]

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
    # A telephone has no ARN. SNS's own monthly limit of spending is what bounds it.
    "Phones": ("sns:Publish",),
}


def role(stage: str, function: Function, log_group: str) -> dict[str, Any]:
    """This will make the role of one function."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ],
            },
            "Policies": [
                {
                    "PolicyName": function.name.replace("_", "-"),
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": _statements(stage, function, log_group)},
                }
            ],
        },
    }


def _statements(stage: str, function: Function, log_group: str) -> list[Statement]:
    found = [
        _may("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [arn(log_group)]),
        _may("Network", ONLY_WILDCARD["Network"], "*"),
        _not_by_itself(physical(stage, function.name)),
    ]
    if function.sends_to:
        found.append(_may("Send", ["sqs:GetQueueUrl", "sqs:SendMessage"], _queues(function.sends_to)))
    if function.queue:
        own = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
               "sqs:ReceiveMessage"]  # fmt: skip
        found.append(_may("Receive", own, _queues([function.queue])))
    if function.schedule:  # finds who is due and sends: nothing but the database and queues
        found.append(_may("TellOfFailure", ["sqs:SendMessage"], [arn(SCHEDULES_DEAD)]))
        return found
    if function.id == API:
        found.append(_may("Health", ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"], _queues(sorted(CONSUMERS))))
    for module, needs in NEEDS.items():
        if module in function.modules:
            found += needs
    return found


def _may(sid: str, actions: Iterable[str], resources: Any, **condition: Any) -> Statement:
    said = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    return said | ({"Condition": condition} if condition else {})


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


# By the module that a function's code imports: what that module asks of AWS.
NEEDS: dict[str, list[Statement]] = {
    "chalicelib.backing.files": [
        _may(
            "Files",
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"],
            [sub("${FilesBucket.Arn}/tenants/*")],
        ),
        # Without it a file that is not there reads as forbidden.
        _may("ListFiles", ["s3:ListBucket"], [arn("FilesBucket")], StringLike={"s3:prefix": "tenants/*"}),
    ],
    "chalicelib.backing.vault": [
        _may(
            "Keys",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [arn("VaultKey")],
            Null={"kms:EncryptionContext:tenant_id": "false"},  # only what is said to be a tenant's
        ),
    ],
    "chalicelib.backing.mail": [
        _may(
            "Mail",
            ["ses:SendEmail", "ses:SendRawEmail"],
            [arn_of("ses", "identity/${MailDomain}"), arn_of("ses", "configuration-set/${MailConfigurationSet}")],
        ),
    ],
    "chalicelib.backing.push": [
        _may("Devices", ["sns:Publish"], [arn_of("sns", "endpoint/*")]),
        _may("Phones", ONLY_WILDCARD["Phones"], "*"),
    ],
}
