"""What comes in and goes out about notifications."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chalicelib.entry.paging import PageQuery
from chalicelib.kernel.schema import Input, Output, Reason, Text, Version
from chalicelib.notifications.rules import MOST_AT_ONCE, Channel, NotificationKind, NotificationStatus


def _remove_duplicates(ids: list[UUID]) -> list[UUID]:
    return sorted(set(ids))


Recipients = Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE), AfterValidator(_remove_duplicates)]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", description="E.164", examples=["+8801712345678"])]
# an endpoint and nothing else: a topic would reach all its subscribers
PushEndpoint = Annotated[
    str,
    Field(
        max_length=300,
        pattern=r"^arn:aws[a-z-]{0,10}:sns:[a-z0-9-]{1,30}:[0-9]{12}:endpoint/[A-Z_]{1,20}/[A-Za-z0-9_.-]{1,100}/[0-9a-f-]{36}$",
        description="ARN of your device's endpoint in SNS",
    ),
]


class NotificationQuery(PageQuery):
    """Which of yours."""

    unread: bool = Field(False, description="only those that you have not opened")


class Notification(Output):
    """Something you are told of, in your language."""

    id: UUID
    kind: NotificationKind
    title: str
    message: str
    entity_type: str = Field(description="what it is about")
    entity_id: str
    created_at: datetime
    opened_at: datetime | None


class NewNotification(Input):
    """Something to tell people in your own words."""

    user_ids: Recipients
    title: Text
    message: Reason


class Announcement(Output):
    """What was told to how many."""

    id: UUID
    title: str
    message: str
    recipients: int


class LogQuery(PageQuery):
    """Which notifications."""

    kind: NotificationKind | None = None
    status: NotificationStatus | None = None
    channel: Channel | None = None
    user_id: UUID | None = Field(None, description="to one person")


class LogEntry(Output):
    """Telling one person over one channel, and what became of it."""

    id: UUID
    user_id: UUID
    kind: NotificationKind
    channel: Channel
    status: NotificationStatus
    title: str
    message: str
    problem: str | None = Field(description="why the last attempt failed, or what came back")
    attempts: int
    next_attempt_at: datetime | None
    provider_id: str | None
    entity_type: str
    entity_id: str
    created_at: datetime
    sent_at: datetime | None
    opened_at: datetime | None
    collapsed_into: UUID | None = Field(description="the entry whose message told of this one too")


class Switches(Input):
    """Over which channels you want to be told."""

    email: bool = True
    in_app: bool = True
    push: bool = True
    sms: bool = True


class NewPreferences(Input):
    """How you want to be told; what is left out goes back to its default: on, no phone, no device."""

    phone: Phone | None = None
    push_endpoint: PushEndpoint | None = None
    kinds: dict[NotificationKind, Switches] = Field(default_factory=dict)


class Preferences(Output):
    """How you are told. Push and SMS need your device or your number."""

    phone: str | None
    push_endpoint: str | None
    kinds: dict[NotificationKind, dict[Channel, bool]]
    version: Version


class Suppression(Output):
    """An address that no mail goes to, as one bounced for good, or its reader reported it as unwanted."""

    id: UUID
    address: str
    reason: str
    log_id: UUID = Field(description="the mail that came back")
    created_at: datetime


def list_switched_off(kinds: dict[NotificationKind, Switches]) -> list[str]:
    """Return what a user switched off, as kind/channel."""
    by_kind: dict[str, dict[str, bool]] = {kind: switches.model_dump() for kind, switches in kinds.items()}
    return sorted(
        f"{kind}/{channel}" for kind, channels in by_kind.items() for channel, is_on in channels.items() if not is_on
    )
