"""Push messages and SMS by SNS; boto3 is loaded only when one is sent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from chalicelib.backing.mail import MailRefused

LONGEST = 300  # characters: a payload has at most 4 KB, an SMS costs by its length
_PERMANENT_ERRORS = frozenset({
    "EndpointDisabled", "EndpointDisabledException", "InvalidParameter", "InvalidParameterException", "NotFound",
    "NotFoundException", "OptedOut", "OptedOutException",
})  # fmt: skip


@cache
def client() -> Any:
    """Return the process's SNS client. It makes one attempt, as one that timed out may have been accepted."""
    import boto3
    from botocore.config import Config

    return boto3.client("sns", config=Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 1}))


def to_device(endpoint: str, *, title: str, message: str) -> str:
    """Show a message on a device (an endpoint's ARN) and return SNS's id. Raises MailRefused."""
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
    """Send an SMS to a phone number (E.164) and return SNS's id. Raises MailRefused."""
    kind = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    with _translate_errors():
        answer = client().publish(PhoneNumber=number, Message=message[:LONGEST], MessageAttributes=kind)
    return str(answer["MessageId"])


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise SNS's permanent errors as MailRefused; after any other error the call may be tried again."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _PERMANENT_ERRORS:
            raise MailRefused(f"SNS refused it ({error.response['Error']['Code']})") from error
        raise
