"""Mail by SES: raw MIME made by the standard library, which prevents header injection; boto3 is loaded when needed.

A mail is sent once per call. The caller decides about another attempt, as it knows whether two copies are acceptable.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from functools import cache
from typing import Any

from chalicelib.backing.settings import settings

# SES accepts ASCII only: other characters are encoded
_POLICY = SMTP.clone(cte_type="7bit")
# Errors about this mail or its address, which would be the same on the next attempt.
_PERMANENT_ERRORS = frozenset({"MessageRejected", "BadRequestException", "InvalidParameterValue"})


class MailRefused(Exception):
    """A mail or message was refused for good, for a reason that the tenant can read."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. `stop_url` unsubscribes from mails of this kind with one click (RFC 8058)."""

    to: str = field(repr=False)
    to_name: str = field(repr=False)
    from_name: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    stop_url: str | None = field(default=None, repr=False)


@cache
def client() -> Any:
    """Return the process's SES client. It makes one attempt, as one that timed out may have been accepted."""
    import boto3
    from botocore.config import Config

    return boto3.client("sesv2", config=Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 1}))


def send(mail: Mail, *, tags: Mapping[str, str]) -> str:
    """Send a mail and return SES's id of it. Raises MailRefused; after any other error it may be sent again.

    `tags` come back with SES's events about the mail: letters, digits, - and _ only.
    """
    from botocore.exceptions import ClientError

    to = _parse_address(mail.to, mail.to_name)
    more = {"ConfigurationSetName": name} if (name := settings().mail_configuration_set) else {}
    try:
        answer = client().send_email(
            FromEmailAddress=settings().mail_from,
            Destination={"ToAddresses": [to.addr_spec]},
            Content={"Raw": {"Data": compose(mail)}},
            EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
            **more,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _PERMANENT_ERRORS:
            raise MailRefused(f"SES refused it ({error.response['Error']['Code']})") from error
        raise
    return str(answer["MessageId"])


def compose(mail: Mail) -> bytes:
    """Return a mail as MIME, in text and HTML. Raises MailRefused."""
    message = EmailMessage(_POLICY)
    message["From"] = Address(_escape_encoded_words(mail.from_name), addr_spec=settings().mail_from)
    message["To"] = _parse_address(mail.to, mail.to_name)
    message["Subject"] = _escape_encoded_words(mail.subject)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic replies, please
    if mail.stop_url:
        message["List-Unsubscribe"] = f"<{mail.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text, cte="base64")
    message.add_alternative(mail.html, subtype="html", cte="base64")
    message["Content-Language"] = mail.language  # of the whole mail: set earlier, it would belong to the first part
    raw = message.as_bytes()
    if BytesHeaderParser(policy=SMTP).parsebytes(raw).keys() != message.keys():  # defence in depth
        raise MailRefused("a name or a title in it cannot be written into a header")
    return raw


def _escape_encoded_words(text: str) -> str:
    """Return text in which the library finds no encoded words (RFC 2047), which it would decode, line ends included."""
    return text.replace("=?", "= ?")


def _parse_address(text: str, name: str) -> Address:
    """Return an address with the domain in ASCII (IDNA). Raises MailRefused for one that SES cannot send to."""
    local, _, domain = text.rpartition("@")
    with suppress(UnicodeError, MessageError, ValueError, IndexError):  # what the parser raises for a wrong address
        spec = f"{local}@{domain.encode('idna').decode()}"
        if spec.isascii() and spec.isprintable() and len(spec) <= 254:
            address = Address(_escape_encoded_words(name), addr_spec=spec)
            if address.addr_spec == spec:  # nothing was quoted or left out
                return address
    raise MailRefused("the e-mail address cannot be written to; correct it")
