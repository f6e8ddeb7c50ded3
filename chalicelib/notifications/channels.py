"""The channels that lead outside, behind one interface. What is shown in the app needs none: its row is the notice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chalicelib.backing import mail, push
from chalicelib.notifications.rules import Channel
from chalicelib.notifications.wording import Brand, Wording, mail_of


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification on its way to one person: `to` is an address, an endpoint or a number."""

    tenant_id: UUID
    log_id: UUID
    to: str = field(repr=False)
    name: str = field(repr=False)
    wording: Wording = field(repr=False)
    brand: Brand = field(repr=False)
    stop_url: str | None = field(default=None, repr=False)


class Sender(Protocol):
    """A way to send a letter."""

    def __call__(self, letter: Letter) -> str:
        """Send it and give the provider's id. mail.Refused is for good; anything else may be tried again."""


def _email(letter: Letter) -> str:
    text, html = mail_of(letter.wording, brand=letter.brand, name=letter.name, stop_url=letter.stop_url)
    made = mail.Mail(
        to=letter.to,
        to_name=letter.name,
        from_name=letter.brand.name,
        subject=letter.wording.title,
        text=text,
        html=html,
        language=letter.wording.language,
        stop_url=letter.stop_url,
    )
    # by these we know what bounced, also where we never heard the provider's id
    return mail.send(made, tags={"tenant_id": str(letter.tenant_id), "log_id": str(letter.log_id)})


def _push(letter: Letter) -> str:
    return push.to_device(letter.to, title=letter.wording.title, message=letter.wording.message)


def _sms(letter: Letter) -> str:
    return push.to_phone(letter.to, message=f"{letter.brand.name}: {letter.wording.title}")


SENDERS: Mapping[Channel, Sender] = {Channel.EMAIL: _email, Channel.PUSH: _push, Channel.SMS: _sms}
