"""Notification kinds, channels, statuses and their moves, which of them collapse, and the retry schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from chalicelib.delivery.retry import RetrySchedule


class NotificationKind(StrEnum):
    """What somebody is told of."""

    LEAVE_EXPIRY_WARNING = "leave_expiry_warning"
    LEAVE_REQUESTED = "leave_requested"  # to the manager
    LEAVE_APPROVED = "leave_approved"
    LEAVE_REJECTED = "leave_rejected"
    LEAVE_CANCELLED = "leave_cancelled"  # to the manager
    LEAVE_RECOUNTED = "leave_recounted"  # a holiday, a roster or an edit by hand changed how many days it uses
    FORM_DECIDED = "form_decided"
    PAYROLL_READY = "payroll_ready"
    KPI_DUE = "kpi_due"
    APPRAISAL_REMINDER = "appraisal_reminder"
    CUSTOM = "custom"
    DESTINATION_CHANGED = "destination_changed"  # to the employee, at the old and the new address
    EMAIL_CHANGED = "email_changed"  # likewise


_LEAVE = frozenset({"person", "leave_type", "start_date", "end_date", "days", "notes"})

# The values that the template of each kind needs: dates as ISO strings, days as numbers; notes may be null.
REQUIRED_VALUES: Mapping[NotificationKind, frozenset[str]] = {
    NotificationKind.LEAVE_EXPIRY_WARNING: frozenset({"leave_type", "days", "expires_on", "days_left", "action"}),
    NotificationKind.LEAVE_REQUESTED: _LEAVE,
    NotificationKind.LEAVE_APPROVED: _LEAVE,
    NotificationKind.LEAVE_REJECTED: _LEAVE,
    NotificationKind.LEAVE_CANCELLED: _LEAVE,
    NotificationKind.LEAVE_RECOUNTED: frozenset(
        {"leave_type", "start_date", "end_date", "days", "days_before", "unpaid_days"}
    ),
    NotificationKind.FORM_DECIDED: frozenset({"form", "status", "notes"}),
    NotificationKind.PAYROLL_READY: frozenset({"month", "link"}),
    NotificationKind.KPI_DUE: frozenset({"title", "due_on"}),
    NotificationKind.APPRAISAL_REMINDER: frozenset({"title", "due_on"}),
    NotificationKind.CUSTOM: frozenset({"title", "message"}),
    NotificationKind.DESTINATION_CHANGED: frozenset({"masked", "changed_on", "held_until"}),
    NotificationKind.EMAIL_CHANGED: frozenset({"address", "changed_on"}),
}

# Reminders and announcements: their mails have a one-click unsubscribe link (RFC 8058). The others answer a request, or
# ask for a decision; they can be switched off in the preferences.
NOT_ESSENTIAL = frozenset(
    {
        NotificationKind.LEAVE_EXPIRY_WARNING,
        NotificationKind.KPI_DUE,
        NotificationKind.APPRAISAL_REMINDER,
        NotificationKind.CUSTOM,
    }
)

# Security notifications cannot be switched off: the user may not have asked for the change.
NOT_SWITCHABLE = frozenset({NotificationKind.DESTINATION_CHANGED, NotificationKind.EMAIL_CHANGED})

# Kinds that collapse (digests.py). The first notification of a kind to a user over a channel is sent at once, together
# with all that were written in the same transaction; those that follow within QUIET are sent as one when it is over.
# Announcements, and notifications about access and bank details, are always sent by themselves.
COLLAPSIBLE = frozenset(
    {
        NotificationKind.LEAVE_EXPIRY_WARNING,
        NotificationKind.LEAVE_REQUESTED,
        NotificationKind.LEAVE_APPROVED,
        NotificationKind.LEAVE_REJECTED,
        NotificationKind.LEAVE_CANCELLED,
        NotificationKind.FORM_DECIDED,
        NotificationKind.KPI_DUE,
        NotificationKind.APPRAISAL_REMINDER,
    }
)
QUIET = timedelta(minutes=5)
MOST_COLLAPSED = 500  # into one message
MOST_NAMED = 20  # of them, by their titles; the app shows them all


class Channel(StrEnum):
    """How somebody is told."""

    EMAIL = "email"
    IN_APP = "in_app"
    PUSH = "push"
    SMS = "sms"


class NotificationStatus(StrEnum):
    """What became of telling one person over one channel."""

    PENDING = "pending"  # to be sent, being sent, or to be retried
    SENT = "sent"
    FAILED = "failed"  # attempted as often as the schedule says, or not to be attempted at all
    BOUNCED = "bounced"  # accepted by the provider, and not delivered


NOTIFICATION_MOVES: Mapping[NotificationStatus, frozenset[NotificationStatus]] = {
    NotificationStatus.PENDING: frozenset(
        {NotificationStatus.SENT, NotificationStatus.FAILED, NotificationStatus.BOUNCED}
    ),
    NotificationStatus.SENT: frozenset({NotificationStatus.BOUNCED}),
    # the provider's answer was lost, and the mail was sent all the same
    NotificationStatus.FAILED: frozenset({NotificationStatus.BOUNCED}),
    NotificationStatus.BOUNCED: frozenset(),
}

RETRY = RetrySchedule(
    waits=(
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=6),
    ),
    lease=timedelta(seconds=60),
    resend_after=timedelta(minutes=5),
)
MOST_AT_ONCE = 500  # users to whom one announcement is sent


@dataclass(frozen=True, slots=True)
class UserNotification:
    """A notification to one user: `values` fill its template and must be JSON; `entity_id` is what it is about.

    `cause` makes it unique: a user is notified once of one cause, such as "approved <request id>". With an `address` it
    is a single mail to there: to an address that the user had before.
    """

    user_id: UUID
    cause: str
    values: Mapping[str, Any]
    entity_id: object
    address: str | None = None
