"""Helpers of tests about notifications: notifying, the mailbox, the log."""

import email
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

from moto.ses.models import ses_backends

from chalicelib import notifications
from chalicelib.backing import clock, outbox
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin
from chalicelib.notifications import NotificationKind, UserNotification
from tests.support.api import Api
from tests.support.cast import Cast, key
from tests.support.people import row, sql

LEAVE = {
    "person": "Rahim",
    "leave_type": "Annual leave",
    "start_date": "2026-01-05",
    "end_date": "2026-01-07",
    "days": 3,
    "notes": None,
}
DUE = {"title": "Sales of January", "due_on": "2026-01-31"}


def person(
    cast: Cast, *, name: str = "Rahim", address: str | None = "rahim@acme.example", language: str = "en"
) -> UUID:
    """Make a user who can be notified."""
    user_id: UUID = row(cast, "users", {"name": name, "email": address, "language": language})
    return user_id


def caller(cast: Cast, user_id: UUID, role: Role = Role.EMPLOYEE) -> Api:
    """Let a person call."""
    return key(cast.id, role, user_id)


def notify(
    cast: Cast,
    *users: UUID,
    kind: NotificationKind = NotificationKind.LEAVE_APPROVED,
    cause: str = "1",
    values: dict[str, Any] | None = None,
    fails: bool = False,
) -> None:
    """Notify users in one transaction, as a feature does, and send the messages that it left."""
    user_notifications = [UserNotification(one, cause, LEAVE if values is None else values, "4711") for one in users]
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
        notifications.notify(scope, kind=kind, entity_type="leave_request", user_notifications=user_notifications)
        if fails:
            raise RuntimeError("rolled back")
    outbox.send(scope.outgoing)


def mailbox() -> list[EmailMessage]:
    """Return the mails that SES took, the oldest first."""
    sent = ses_backends["123456789012"]["eu-central-1"].sent_messages
    return [email.message_from_string(one.raw_data, policy=default) for one in sent]  # type: ignore[misc]


def mail_ids() -> list[str]:
    return [one.id for one in ses_backends["123456789012"]["eu-central-1"].sent_messages]


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def log(cast: Cast, query: str = "") -> list[dict[str, Any]]:
    """Return the log, newest first."""
    return list(cast.hr.ok("GET", f"/notification-logs{query}")["items"])


def statuses(cast: Cast) -> dict[str, str]:
    """Return the status by channel, where one user was notified once."""
    return {one["channel"]: one["status"] for one in log(cast)}


def let_pass(cast: Cast) -> None:
    """Age what waits for its next attempt, as if all the time had passed."""
    sql(
        cast,
        "update notification_logs set look_at = clock_timestamp() - interval '10 minutes'"
        " where tenant_id = :tenant_id and look_at is not null",
        tenant_id=cast.id,
    )
