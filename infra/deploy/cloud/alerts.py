"""Where alarms go: one topic, encrypted, that CloudWatch and Budgets of this account may publish to, and a mailbox."""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import physical, ref, sub
from infra.deploy.cloud.storage import key_of_account

TOPIC = "AlarmTopic"
KEY = "AlarmKey"
# By the service that publishes: on whose behalf it must say that it does. Budgets belong to no region.
PUBLISHERS = {
    "cloudwatch.amazonaws.com": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*",
    "budgets.amazonaws.com": "arn:${AWS::Partition}:budgets::${AWS::AccountId}:*",
}


def resources(stage: str) -> Resources:
    """Make the topic, its key, and the subscription, which whoever reads the mailbox confirms once."""
    key = key_of_account("Encrypts alarms on their way")
    key["KeyPolicy"]["Statement"] += [
        _for_ours(service, source, ["kms:Decrypt", "kms:GenerateDataKey*"], "*")
        for service, source in PUBLISHERS.items()
    ]
    statements = [_for_ours(service, source, "sns:Publish", ref(TOPIC)) for service, source in PUBLISHERS.items()]
    return {
        KEY: {"Type": "AWS::KMS::Key", "Properties": key},
        TOPIC: {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": physical(stage, "alarms"), "KmsMasterKeyId": ref(KEY)},
        },
        f"{TOPIC}Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [ref(TOPIC)],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
            },
        },
        "AlarmMailbox": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": ref(TOPIC), "Protocol": "email", "Endpoint": ref("AlarmMail")},
        },
    }


def _for_ours(service: str, source: str, action: Any, resource: Any) -> dict[str, Any]:
    return {
        "Sid": service.partition(".")[0].title(),
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
            "ArnLike": {"aws:SourceArn": sub(source)},
        },
    }
