"""SES, loaded only when a mail is sent. A mail is raw MIME made by the standard library, which lets no header in.

A mail is sent once per call: trying again is the caller's to decide, who knows whether it may arrive twice.
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

# SES takes ASCII only: whatever is not is encoded
_POLICY = SMTP.clone(cte_type="7bit")
# What would be the same the next time: about this mail or its address, not about the day.
_PERMANENT_ERRORS = frozenset({"MessageRejected", "BadRequestException", "InvalidParameterValue"})


class MailRefused(Exception):
    """It was not sent, and never will be; the reason is for the tenant's own people."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. `stop_url` ends mails of this kind with one click (RFC 8058)."""

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
    """Make the process's SES client. It tries once: a try that timed out may have been taken."""
    import boto3
    from botocore.config import Config

    return boto3.client("sesv2", config=Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 1}))


def send(mail: Mail, *, tags: Mapping[str, str]) -> str:
    """Send a mail and give SES's id of it, or raise Refused; anything else may be tried again.

    `tags` come back with what SES tells of the mail later: letters, digits, - and _ only.
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
    """Write a mail as MIME: text, and HTML beside it."""
    message = EmailMessage(_POLICY)
    message["From"] = Address(_escape_encoded_words(mail.from_name), addr_spec=settings().mail_from)
    message["To"] = _parse_address(mail.to, mail.to_name)
    message["Subject"] = _escape_encoded_words(mail.subject)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: an absent colleague's machine need not answer
    if mail.stop_url:
        message["List-Unsubscribe"] = f"<{mail.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text, cte="base64")
    message.add_alternative(mail.html, subtype="html", cte="base64")
    message["Content-Language"] = mail.language  # of the whole: what is said before goes to the first part
    raw = message.as_bytes()
    if BytesHeaderParser(policy=SMTP).parsebytes(raw).keys() != message.keys():  # the second lock
        raise MailRefused("a name or a title in it cannot be written into a header")
    return raw


def _escape_encoded_words(text: str) -> str:
    """Have text taken for what it says: the library decodes encoded words, and line ends within them."""
    return text.replace("=?", "= ?")


def _parse_address(text: str, name: str) -> Address:
    local, _, domain = text.rpartition("@")
    with suppress(UnicodeError, MessageError, ValueError, IndexError):  # the parser's own ways to say no
        spec = f"{local}@{domain.encode('idna').decode()}"
        if spec.isascii() and spec.isprintable() and len(spec) <= 254:
            address = Address(_escape_encoded_words(name), addr_spec=spec)
            if address.addr_spec == spec:  # nothing was quoted or left away
                return address
    raise MailRefused("the e-mail address cannot be written to; correct it")
