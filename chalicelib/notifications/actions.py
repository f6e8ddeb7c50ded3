"""Telling people what happened, and what they make of it."""

import json
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, text, update

from chalicelib import audit
from chalicelib.backing.database import Record, statement
from chalicelib.backing.outbox import Message
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.notifications import queries
from chalicelib.notifications.models import notification_logs
from chalicelib.notifications.rules import NOT_SWITCHABLE, VALUES, NotificationKind, UserNotification
from chalicelib.notifications.schemas import NewNotification

QUEUE = "notifications"

_TELL = text(statement(__file__, "tell"))


def notify(
    scope: Scope, *, kind: NotificationKind, entity_type: str, user_notifications: Sequence[UserNotification]
) -> None:
    """Notify people something, if and only if this transaction commits.

    One row per recipient and channel: e-mail where they have an address, in the app, and push and SMS where they gave
    an endpoint or a number; less what they switched off. A cause that a person was told of before over a channel is
    not told again. Recipients who are not people of the tenant are passed over.
    """
    if not user_notifications:
        return
    for notice in user_notifications:
        if missing := VALUES[kind] - notice.values.keys():
            raise ValueError(f"the wording of {kind} needs {', '.join(sorted(missing))}")
    said = [
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
        _TELL,
        {
            "tenant_id": scope.tenant_id,
            "kind": kind.value,
            "entity_type": entity_type,
            "is_switchable": kind not in NOT_SWITCHABLE,
            "notices": json.dumps(said, default=_plain),
            "queue": QUEUE,
            "now": scope.now,
        },
    ).all()
    scope.outgoing += [Message(scope.tenant_id, row.id, QUEUE, row.body) for row in rows]


def announce(scope: Scope, *, new: NewNotification) -> Record:
    """Notify people something in somebody's own words; all of them, or none."""
    if queries.count_people(scope, new.user_ids) != len(new.user_ids):
        raise NotFound("Some of these people are not there; nobody was told.")
    announcement_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    said = {"title": new.title, "message": new.message}
    notify(
        scope,
        kind=NotificationKind.CUSTOM,
        entity_type="announcement",
        user_notifications=[
            UserNotification(one, f"announcement {announcement_id}", said, announcement_id) for one in new.user_ids
        ],
    )
    audit.record(
        scope,
        action="announcement.made",
        entity_type="announcement",
        entity_id=announcement_id,
        after={"title": new.title, "user_ids": new.user_ids},
    )
    return {"id": announcement_id, **said, "recipients": len(new.user_ids)}


def open_notification(scope: Scope, notification_id: UUID) -> Record:
    """Note that the caller opened a notice of theirs; opening it again keeps the first time."""
    before = queries.get_notification(scope, notification_id)
    if before["opened_at"] is not None:
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


def _plain(value: object) -> float | str:
    return float(value) if isinstance(value, Decimal) else str(value)
