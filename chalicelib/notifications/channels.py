"""E-mail, push and SMS behind one interface. The app needs none: it shows the row itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chalicelib.backing import mail, push
from chalicelib.notifications.rules import Channel
from chalicelib.notifications.wording import Brand, Wording, render_mail


@dataclass(frozen=True, slots=True)
class OutgoingNotification:
    """A notification as it is sent to one user: `to` is an address, an endpoint or a phone number."""

    tenant_id: UUID
    log_id: UUID
    to: str = field(repr=False)
    name: str = field(repr=False)
    wording: Wording = field(repr=False)
    brand: Brand = field(repr=False)
    stop_url: str | None = field(default=None, repr=False)


class Sender(Protocol):
    """Sends over one channel."""

    def __call__(self, outgoing: OutgoingNotification) -> str:
        """Send a notification and return the provider's id.

        Raises MailRefused where a retry would be useless; anything else may be retried.
        """


def _email(outgoing: OutgoingNotification) -> str:
    text, html = render_mail(outgoing.wording, brand=outgoing.brand, name=outgoing.name, stop_url=outgoing.stop_url)
    message = mail.Mail(
        to=outgoing.to,
        to_name=outgoing.name,
        from_name=outgoing.brand.name,
        subject=outgoing.wording.title,
        text=text,
        html=html,
        language=outgoing.wording.language,
        stop_url=outgoing.stop_url,
    )
    # SES repeats the tags in its events: they name the row also where the provider's id was lost
    return mail.send(message, tags={"tenant_id": str(outgoing.tenant_id), "log_id": str(outgoing.log_id)})


def _push(outgoing: OutgoingNotification) -> str:
    return push.to_device(outgoing.to, title=outgoing.wording.title, message=outgoing.wording.message)


def _sms(outgoing: OutgoingNotification) -> str:
    return push.to_phone(outgoing.to, message=f"{outgoing.brand.name}: {outgoing.wording.title}")


SENDERS: Mapping[Channel, Sender] = {Channel.EMAIL: _email, Channel.PUSH: _push, Channel.SMS: _sms}
