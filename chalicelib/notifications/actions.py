"""Notifying users, announcements, and notifications that were opened in the app."""

import json
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, text, update

from chalicelib import audit
from chalicelib.backing.database import statement
from chalicelib.backing.outbox import Message
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.notifications import queries, schemas
from chalicelib.notifications.models import notification_logs
from chalicelib.notifications.rules import NOT_SWITCHABLE, REQUIRED_VALUES, NotificationKind, UserNotification
from chalicelib.notifications.schemas import NewNotification

QUEUE = "notifications"

_NOTIFY = text(statement(__file__, "notify"))


def notify(
    scope: Scope, *, kind: NotificationKind, entity_type: str, user_notifications: Sequence[UserNotification]
) -> None:
    """Notify users of something, if and only if this transaction commits.

    One row per user and channel: e-mail where they have an address, in the app, and push and SMS where they gave an
    endpoint or a number; less what they switched off. A user is notified of a cause once per channel. Ids that are not
    users of the tenant are ignored.
    """
    if not user_notifications:
        return
    for one in user_notifications:
        if missing := REQUIRED_VALUES[kind] - one.values.keys():
            raise ValueError(f"the wording of {kind} needs {', '.join(sorted(missing))}")
    requested = [
        {
            "user_id": one.user_id,
            "cause": one.cause,
            "said": one.values,
            "entity_id": str(one.entity_id),
            "address": one.address,
        }
        for one in user_notifications
    ]
    rows = scope.session.execute(
        _NOTIFY,
        {
            "tenant_id": scope.tenant_id,
            "kind": kind.value,
            "entity_type": entity_type,
            "is_switchable": kind not in NOT_SWITCHABLE,
            "notifications": json.dumps(requested, default=_to_json),
            "queue": QUEUE,
            "now": scope.now,
        },
    ).all()
    scope.outgoing += [Message(scope.tenant_id, row.id, QUEUE, row.body) for row in rows]


def announce(scope: Scope, *, new: NewNotification) -> schemas.Announcement:
    """Notify users with a text of the caller's; all of them, or none."""
    if queries.count_users(scope, new.user_ids) != len(new.user_ids):
        raise NotFound("Some of these people are not there; nobody was told.")
    announcement_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    values = {"title": new.title, "message": new.message}
    notify(
        scope,
        kind=NotificationKind.CUSTOM,
        entity_type="announcement",
        user_notifications=[
            UserNotification(one, f"announcement {announcement_id}", values, announcement_id) for one in new.user_ids
        ],
    )
    audit.record(
        scope,
        action="announcement.made",
        entity_type="announcement",
        entity_id=announcement_id,
        after={"title": new.title, "user_ids": new.user_ids},
    )
    return schemas.Announcement(id=announcement_id, **values, recipients=len(new.user_ids))


def open_notification(scope: Scope, notification_id: UUID) -> queries.LogRow:
    """Record that the caller opened a notification; opening it again keeps the first time."""
    before = queries.get_notification(scope, notification_id)
    if before.opened_at is not None:
        return before
    scope.session.execute(
        update(notification_logs)
        .where(
            notification_logs.c.tenant_id == scope.tenant_id,
            notification_logs.c.id == notification_id,
            notification_logs.c.opened_at.is_(None),
        )
        .values(opened_at=scope.now)
    )
    return queries.get_notification(scope, notification_id)


def _to_json(value: object) -> float | str:
    return float(value) if isinstance(value, Decimal) else str(value)
