"""Notifications: telling people what happened, over the channels they want, in their language, once for each cause.

Whoever changes something calls `tell` in the transaction of the change: one row per recipient and channel, and one
message for each row that has to leave. Nothing is told of a change that rolled back. A mail is attempted by a message,
again on the ladder in `rules`, and its row says what became of it.
"""

from chalicelib.notifications.actions import notify
from chalicelib.notifications.rules import NotificationKind, UserNotification

__all__ = ["NotificationKind", "UserNotification", "notify"]
