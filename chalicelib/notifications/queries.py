"""Reads of notifications, in words."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, column, func, select, table

from chalicelib.backing.database import Record
from chalicelib.backing.log import logger
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, decode_cursor, encode_cursor, page_of
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.notifications.models import notification_logs, notification_preferences, notification_suppressions
from chalicelib.notifications.rules import Channel, NotificationKind
from chalicelib.notifications.schemas import LogQuery, NotificationQuery
from chalicelib.notifications.wording import worded

# the little that this room, which lies below people's, reads of theirs
_users = table("users", column("tenant_id", Uuid), column("id", Uuid), column("language"))
_ids = notification_logs.c.id


def myself(scope: Scope) -> UUID:
    """Return the person who calls; a machine's key may act for nobody."""
    if scope.actor.user_id is None:
        raise Conflict("You call for no person, so nobody is told anything; use the login or the key of a person.")
    return scope.actor.user_id


def page_of_notifications(scope: Scope, query: NotificationQuery) -> Record:
    """Read one page of what the caller is told in the app, newest first."""
    rows = _logs(scope).where(
        notification_logs.c.user_id == myself(scope), notification_logs.c.channel == Channel.IN_APP
    )
    if query.unread:
        rows = rows.where(notification_logs.c.opened_at.is_(None))
    return _down(scope, rows, query)


def get_notification(scope: Scope, notification_id: UUID) -> Record:
    """Read one notice of the caller's in the app, or NotFound."""
    rows = _logs(scope).where(
        notification_logs.c.user_id == scope.actor.user_id,
        notification_logs.c.channel == Channel.IN_APP,
        _ids == notification_id,
    )
    if (row := scope.session.execute(rows).mappings().first()) is None:
        raise NotFound("There is no such notification.")
    return _in_words(row)


def page_of_logs(scope: Scope, query: LogQuery) -> Record:
    """Read one page of the log, newest first."""
    rows = _logs(scope)
    for name, wanted in query.model_dump(exclude={"limit", "cursor"}, exclude_none=True).items():
        rows = rows.where(notification_logs.c[name] == wanted)
    return _down(scope, rows, query)


def get_preferences(scope: Scope, *, lock: bool = False) -> Record:
    """Read how the caller is told; whoever never said so is told over every channel they can be."""
    rows = select(notification_preferences).where(
        notification_preferences.c.tenant_id == scope.tenant_id,
        notification_preferences.c.user_id == myself(scope),
    )
    found = scope.session.execute(rows.with_for_update() if lock else rows).mappings().first()
    row = dict(found) if found else {"phone": None, "push_endpoint": None, "switched_off": [], "version": 1}
    kinds = {
        kind: {channel: f"{kind}/{channel}" not in row["switched_off"] for channel in Channel}
        for kind in NotificationKind
    }
    return {**row, "kinds": kinds}


def page_of_suppressions(scope: Scope, query: PageQuery) -> Record:
    """Read one page of the addresses that no mail goes to, oldest first."""
    rows = select(notification_suppressions).where(notification_suppressions.c.tenant_id == scope.tenant_id)
    return page_of(scope, rows, key=notification_suppressions.c.id, query=query)


def get_suppression(scope: Scope, suppression_id: UUID, *, lock: bool = False) -> Record:
    """Read one address that no mail goes to, or NotFound."""
    return get_row(scope, notification_suppressions, suppression_id, what="suppression", lock=lock)


def count_people(scope: Scope, user_ids: list[UUID]) -> int:
    """Count those of these ids that are people of the tenant."""
    rows = select(func.count()).where(_users.c.tenant_id == scope.tenant_id, _users.c.id.in_(user_ids))
    return int(scope.session.execute(rows).scalar_one())


def _logs(scope: Scope) -> Select[Any]:
    readers = and_(_users.c.tenant_id == notification_logs.c.tenant_id, _users.c.id == notification_logs.c.user_id)
    return (
        select(notification_logs, notification_logs.c.look_at.label("next_attempt_at"), _users.c.language)
        .join(_users, readers)
        .where(notification_logs.c.tenant_id == scope.tenant_id)
    )


def _down(scope: Scope, rows: Select[Any], query: PageQuery) -> Record:
    """Read one page that goes down from a key."""
    if query.cursor:
        rows = rows.where(_ids < decode_cursor(query.cursor, UUID))
    found = scope.session.execute(rows.order_by(_ids.desc()).limit(query.limit + 1)).mappings().all()
    items = [_in_words(row) for row in found[: query.limit]]
    return {"items": items, "next_cursor": encode_cursor(items[-1]["id"]) if len(found) > query.limit else None}


def _in_words(row: Any) -> Record:
    """Return what was sent as it was sent, and what was not in the words that it would have now."""
    said = dict(row)
    if said["title"] is None:
        try:
            wording = worded(NotificationKind(said["kind"]), said["said"], language=said["language"])
            said |= {"title": wording.title, "message": wording.message}
        except Exception:  # one row that cannot be worded must not hide the others
            logger.exception("a notification cannot be worded", log_id=str(said["id"]))
            said |= {"title": said["kind"].replace("_", " "), "message": ""}
    return said
