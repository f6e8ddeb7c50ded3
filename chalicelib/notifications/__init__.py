"""Notifications: users are notified of what happened, over the channels they chose, in their language, once per cause.

The path from a change to a mail:
1. actions.notify  in the transaction of the change: one row per user and channel (sql/notify.sql), and a message in the
   outbox for each row that has to be sent; a change that is rolled back notifies nobody
2. consumers.send_notification  one attempt at a row, by the order of chalicelib/delivery
3. delivery.NotificationDelivery.prepare  decides whether and where to send, and the wording; rows of the same kind that
   wait for the same user are collapsed into it (digests.py)
4. channels.SENDERS  calls SES or SNS, with no transaction open
5. delivery.NotificationDelivery.settle  writes the outcome, or when the row is retried (rules.RETRY)
6. schedules.send_due_notifications  each minute, a message for each row whose next attempt is due
7. consumers.note_mail_event  a mail that bounced or was complained about (bounces.py)

    channels.py  e-mail, push and SMS behind one interface
    delivery.py  one attempt: what is sent, and what an answer means
    digests.py  many notifications of one kind to one user become one message
    bounces.py  events of SES: bounces and complaints
    unsubscribe.py  the one-click unsubscribe link of a mail
    wording.py  templates, in the user's language
    preference_actions.py  users' preferences, and suppressed addresses

Start with actions.notify, then delivery.py.
"""

from chalicelib.notifications.actions import notify
from chalicelib.notifications.rules import NotificationKind, UserNotification

__all__ = ["NotificationKind", "UserNotification", "notify"]
