"""Build events and contexts exactly as Lambda passes them to a function."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.local.aws import REGION

ACCOUNT = "123456789012"
TIMEOUT = 60.0  # seconds; what get_remaining_time_in_millis counts down from


@dataclass(frozen=True)
class Context:
    """The Lambda context, as far as handlers use it."""

    function_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_stream_name: str = "local"
    started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """Return the function as AWS would."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """Return where AWS would keep its log."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Count down from the function's timeout; it is not enforced here."""
        return max(0, round((TIMEOUT - (time.monotonic() - self.started)) * 1000))


def api_event(
    method: str,
    resource: str,
    path_values: dict[str, str],
    *,
    body: str | None,
    headers: dict[str, str],
    query: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    """Make the event of an API Gateway (REST, proxy); `resource` is the path as the endpoint declares it."""
    path = resource.format(**path_values)
    return {
        "httpMethod": method,
        "path": path,
        "resource": resource,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "multiValueQueryStringParameters": query or None,
        "queryStringParameters": {name: values[-1] for name, values in (query or {}).items()} or None,
        "pathParameters": path_values or None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": resource,
            "path": path,
            "stage": "api",
            "requestId": str(uuid.uuid4()),
            "identity": {"sourceIp": "127.0.0.1"},
        },
    }


def queue_event(messages: list[dict[str, Any]], queue_arn: str) -> dict[str, Any]:
    """Turn what SQS's ReceiveMessage answered into the event of an SQS event source mapping."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def scheduled_event(name: str, at: datetime) -> dict[str, Any]:
    """Make the event that an EventBridge rule sends when its schedule fires."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/wagebook-local-{name}"],
        "detail": {},
    }


def _record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    shaped: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        shaped["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shaped["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return shaped
