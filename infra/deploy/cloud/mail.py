"""Mail by SES; bounces and complaints come back through an SNS topic to the queue of mail events."""

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import arn, arn_of, physical, ref, sub
from infra.deploy.cloud.queues import let_send, queue_id

CONFIGURATION_SET = "MailConfigurationSet"
TOPIC = "MailEventsTopic"
TOPIC_KEY = "MailEventsKey"
QUEUE = "mail-events"


def outputs() -> dict[str, Any]:
    """Return the DKIM records for the domain's DNS; SES sends nothing before it finds them."""
    return {
        f"MailDnsRecord{number}": {
            "Value": sub(
                f"${{MailIdentity.DkimDNSTokenName{number}}} CNAME ${{MailIdentity.DkimDNSTokenValue{number}}}"
            )
        }
        for number in (1, 2, 3)
    }


def resources(stage: str) -> Resources:
    """Return the sending domain, the configuration set, and the route of bounces and complaints."""
    name = physical(stage, "mail")
    topic = {"Ref": TOPIC}
    return {
        "MailIdentity": {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": ref("MailDomain")}},
        CONFIGURATION_SET: {
            "Type": "AWS::SES::ConfigurationSet",
            "Properties": {"Name": name, "DeliveryOptions": {"TlsPolicy": "REQUIRE"}},
        },
        "MailEvents": {
            "Type": "AWS::SES::ConfigurationSetEventDestination",
            "DependsOn": [f"{TOPIC}Policy"],
            "Properties": {
                "ConfigurationSetName": ref(CONFIGURATION_SET),
                "EventDestination": {
                    "Name": "mail-events",
                    "Enabled": True,
                    "MatchingEventTypes": ["bounce", "complaint"],
                    "SnsDestination": {"TopicARN": topic},
                },
            },
        },
        TOPIC_KEY: {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "Description": "Encrypts what SES tells of mails, addresses among it, in the topic",
                "EnableKeyRotation": True,
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        # In a key's own policy `*` is this key.
                        {
                            "Sid": "Account",
                            "Effect": "Allow",
                            "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
                            "Action": "kms:*",
                            "Resource": "*",
                        },
                        {
                            "Sid": "Ses",
                            "Effect": "Allow",
                            "Principal": {"Service": "ses.amazonaws.com"},
                            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                            "Resource": "*",
                        },
                    ],
                },
            },
        },
        TOPIC: {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": physical(stage, QUEUE), "KmsMasterKeyId": ref(TOPIC_KEY)},
        },
        f"{TOPIC}Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [topic],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "ses.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": topic,
                            "Condition": {
                                "StringEquals": {
                                    "aws:SourceAccount": sub("${AWS::AccountId}"),
                                    "aws:SourceArn": arn_of("ses", f"configuration-set/{name}"),
                                }
                            },
                        }
                    ],
                },
            },
        },
        f"{TOPIC}Subscription": {
            "Type": "AWS::SNS::Subscription",
            "DependsOn": [f"{queue_id(QUEUE)}Policy"],
            "Properties": {
                "TopicArn": topic,
                "Protocol": "sqs",
                "Endpoint": arn(queue_id(QUEUE)),
                "RawMessageDelivery": True,
            },
        },
        f"{queue_id(QUEUE)}Policy": let_send(queue_id(QUEUE), "sns.amazonaws.com", [topic]),
    }
