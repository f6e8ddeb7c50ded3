"""What people are told of, over which channels, and when a message is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID


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
    DESTINATION_CHANGED = "destination_changed"  # the person, at the old and the new address
    EMAIL_CHANGED = "email_changed"  # likewise


_LEAVE = frozenset({"person", "leave_type", "start_date", "end_date", "days", "notes"})

# What the wording of each kind asks for: dates as ISO strings, days as numbers; notes may be null.
VALUES: Mapping[NotificationKind, frozenset[str]] = {
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

# Reminders and announcements, whose mails anybody may stop from within the mail (RFC 8058). The others answer what a
# person asked for, or ask for a decision; they can be switched off among the preferences.
NOT_ESSENTIAL = frozenset(
    {
        NotificationKind.LEAVE_EXPIRY_WARNING,
        NotificationKind.KPI_DUE,
        NotificationKind.APPRAISAL_REMINDER,
        NotificationKind.CUSTOM,
    }
)


# What nobody can switch off: it tells of a change that the person may not have asked for.
NOT_SWITCHABLE = frozenset({NotificationKind.DESTINATION_CHANGED, NotificationKind.EMAIL_CHANGED})

# Of one cause are all of these kinds that a person gets of one kind over one channel within QUIET: the first leaves at
# once, with whatever was written in the same transaction, and the rest together when QUIET is over. What somebody wrote
# in their own words, and what is about access and bank details, always leaves by itself.
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

    PENDING = "pending"  # to be sent, being sent, or to be tried again
    SENT = "sent"
    FAILED = "failed"  # tried as often as we do, or not to be tried at all
    BOUNCED = "bounced"  # taken by the provider, and then not delivered


MOVES: Mapping[NotificationStatus, frozenset[NotificationStatus]] = {
    NotificationStatus.PENDING: frozenset(
        {NotificationStatus.SENT, NotificationStatus.FAILED, NotificationStatus.BOUNCED}
    ),
    NotificationStatus.SENT: frozenset({NotificationStatus.BOUNCED}),
    NotificationStatus.FAILED: frozenset(
        {NotificationStatus.BOUNCED}
    ),  # we heard no answer, and it went out all the same
    NotificationStatus.BOUNCED: frozenset(),
}

# After each failed attempt.
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
MOST_ATTEMPTS = len(WAITS) + 1
JITTER = 0.2  # a wait is so much longer at most, so that what failed together does not come back together
LEASE = timedelta(seconds=60)  # a worker that did not come back by then never will
NUDGE = timedelta(minutes=5)  # a new one whose message nobody took by then is sent to the queue again
MOST_AT_ONCE = 500  # people to whom one custom notice goes


@dataclass(frozen=True, slots=True)
class UserNotification:
    """What one person is told: `values` as JSON can say them, `entity_id` what it is about.

    `cause` is what makes it told once: the same for the same reason to tell, such as "approved <request id>". With an
    `address` it is one mail to there: to where the person was reached before.
    """

    user_id: UUID
    cause: str
    values: dict[str, Any]
    entity_id: object
    address: str | None = None


def wait_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many failed attempts, or None where it is not tried again."""
    return WAITS[attempts - 1] if attempts < MOST_ATTEMPTS else None
