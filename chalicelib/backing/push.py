"""SNS, loaded only when a message goes to a device or a phone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from chalicelib.backing.mail import MailRefused

LONGEST = 300  # characters: a payload holds 4 KB, a short message costs by its length
_PERMANENT_ERRORS = frozenset({
    "EndpointDisabled", "EndpointDisabledException", "InvalidParameter", "InvalidParameterException", "NotFound",
    "NotFoundException", "OptedOut", "OptedOutException",
})  # fmt: skip


@cache
def client() -> Any:
    """Make the process's SNS client. It tries once: a try that timed out may have been taken."""
    import boto3
    from botocore.config import Config

    return boto3.client("sns", config=Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 1}))


def to_device(endpoint: str, *, title: str, message: str) -> str:
    """Show a message on a device (an endpoint's ARN) and give SNS's id, or raise Refused."""
    short = message[:LONGEST]
    forms = {
        "default": short,
        "GCM": json.dumps({"notification": {"title": title, "body": short}}, ensure_ascii=False),
        "APNS": json.dumps({"aps": {"alert": {"title": title, "body": short}}}, ensure_ascii=False),
    }
    forms["APNS_SANDBOX"] = forms["APNS"]
    with _translate_errors():
        answer = client().publish(
            TargetArn=endpoint, MessageStructure="json", Message=json.dumps(forms, ensure_ascii=False)
        )
    return str(answer["MessageId"])


def to_phone(number: str, *, message: str) -> str:
    """Send a short message to a phone (E.164) and give SNS's id, or raise Refused."""
    kind = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    with _translate_errors():
        answer = client().publish(PhoneNumber=number, Message=message[:LONGEST], MessageAttributes=kind)
    return str(answer["MessageId"])


@contextmanager
def _translate_errors() -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _PERMANENT_ERRORS:
            raise MailRefused(f"SNS refused it ({error.response['Error']['Code']})") from error
        raise
