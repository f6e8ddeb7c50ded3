"""Reads of notifications: lists with their wording, preferences, suppressed addresses, and what is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, column, func, select, table, text

from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.backing.log import logger
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, RowPage, decode_cursor, encode_cursor, page_rows
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.notifications import schemas
from chalicelib.notifications.models import notification_logs, notification_preferences, notification_suppressions
from chalicelib.notifications.rules import Channel, NotificationKind
from chalicelib.notifications.schemas import LogQuery, NotificationQuery
from chalicelib.notifications.wording import render

# the columns of people's table that this package reads, which lies below people
_users = table("users", column("tenant_id", Uuid), column("id", Uuid), column("language"))
_ids = notification_logs.c.id
_LOAD_DUE = text(statement(__file__, "load_due"))


@dataclass(frozen=True, slots=True)
class DueNotification:
    """A notification whose attempt is due, locked, with its user as they are now."""

    id: UUID
    user_id: UUID
    kind: NotificationKind
    channel: Channel
    values: Mapping[str, Any]  # for its template
    attempts: int
    name: str = field(repr=False)
    language: str
    tenant_name: str
    branding: Mapping[str, Any]
    sent_to: str | None = field(repr=False)  # None: the user has no address for the channel
    is_switched_off: bool
    suppressed_because: str | None  # bounce or complaint
    suppressed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LogRow:
    """A notification as the log lists it, worded: as it was sent, or as it would be worded now."""

    id: UUID
    user_id: UUID
    kind: NotificationKind
    channel: Channel
    status: str
    title: str | None
    message: str | None
    problem: str | None
    attempts: int
    next_attempt_at: datetime | None
    provider_id: str | None
    entity_type: str
    entity_id: str
    created_at: datetime
    sent_at: datetime | None
    opened_at: datetime | None
    collapsed_into: UUID | None
    values: Mapping[str, Any]  # for its template
    language: str


@dataclass(frozen=True, slots=True)
class PreferencesRow:
    """A user's preferences; `switched_off` lists kind/channel, and what it does not name is on."""

    phone: str | None = None
    push_endpoint: str | None = None
    switched_off: Sequence[str] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """An address that no mail of the tenant is sent to."""

    id: UUID
    address: str
    reason: str
    log_id: UUID
    created_at: datetime


def load_due(scope: Scope, log_id: UUID) -> DueNotification | None:
    """Lock a notification and return it with its user as they are now, if its attempt is due."""
    return rows.first(DueNotification, scope.session.execute(_LOAD_DUE, {"tenant_id": scope.tenant_id, "id": log_id}))


def get_caller_id(scope: Scope) -> UUID:
    """Return the user who calls. Raises Conflict for an API key of a machine, which acts for no user."""
    if scope.actor.user_id is None:
        raise Conflict("You call for no person, so nobody is told anything; use the login or the key of a person.")
    return scope.actor.user_id


def page_of_notifications(scope: Scope, query: NotificationQuery) -> RowPage[LogRow]:
    """Read one page of the caller's notifications in the app, newest first."""
    log = _select_log(scope).where(
        notification_logs.c.user_id == get_caller_id(scope), notification_logs.c.channel == Channel.IN_APP
    )
    if query.unread:
        log = log.where(notification_logs.c.opened_at.is_(None))
    return _page_newest_first(scope, log, query)


def get_notification(scope: Scope, notification_id: UUID) -> LogRow:
    """Read one of the caller's notifications in the app, or raise NotFound."""
    log = _select_log(scope).where(
        notification_logs.c.user_id == scope.actor.user_id,
        notification_logs.c.channel == Channel.IN_APP,
        _ids == notification_id,
    )
    if (row := rows.first(LogRow, scope.session.execute(log))) is None:
        raise NotFound("There is no such notification.")
    return _with_wording(row)


def page_of_logs(scope: Scope, query: LogQuery) -> RowPage[LogRow]:
    """Read one page of the log, newest first."""
    log = _select_log(scope)
    for name, value in query.model_dump(exclude={"limit", "cursor"}, exclude_none=True).items():
        log = log.where(notification_logs.c[name] == value)
    return _page_newest_first(scope, log, query)


def load_preferences(scope: Scope, *, lock: bool = False) -> PreferencesRow:
    """Read the caller's preferences, or the defaults: notified over every channel that reaches them."""
    stored = select(notification_preferences).where(
        notification_preferences.c.tenant_id == scope.tenant_id,
        notification_preferences.c.user_id == get_caller_id(scope),
    )
    row = rows.first(PreferencesRow, scope.session.execute(stored.with_for_update() if lock else stored))
    return row or PreferencesRow()


def get_preferences(scope: Scope) -> schemas.Preferences:
    """Return the caller's preferences by kind and channel."""
    row = load_preferences(scope)
    return schemas.Preferences(
        phone=row.phone,
        push_endpoint=row.push_endpoint,
        kinds={
            kind: {channel: f"{kind}/{channel}" not in row.switched_off for channel in Channel}
            for kind in NotificationKind
        },
        version=row.version,
    )


def page_of_suppressions(scope: Scope, query: PageQuery) -> RowPage[SuppressionRow]:
    """Read one page of the suppressed addresses, oldest first."""
    suppressions = select(notification_suppressions).where(notification_suppressions.c.tenant_id == scope.tenant_id)
    return page_rows(scope, suppressions, kind=SuppressionRow, key=notification_suppressions.c.id, query=query)


def get_suppression(scope: Scope, suppression_id: UUID, *, lock: bool = False) -> SuppressionRow:
    """Read one suppressed address, or raise NotFound."""
    return get_row(scope, notification_suppressions, suppression_id, kind=SuppressionRow, what="suppression", lock=lock)


def count_users(scope: Scope, user_ids: list[UUID]) -> int:
    """Count those of these ids that are users of the tenant."""
    users = select(func.count()).where(_users.c.tenant_id == scope.tenant_id, _users.c.id.in_(user_ids))
    return int(scope.session.execute(users).scalar_one())


def _select_log(scope: Scope) -> Select[Any]:
    """Select the tenant's notifications with the language of their users."""
    users = and_(_users.c.tenant_id == notification_logs.c.tenant_id, _users.c.id == notification_logs.c.user_id)
    log = notification_logs.c
    return (
        select(notification_logs, log.look_at.label("next_attempt_at"), log["said"].label("values"), _users.c.language)
        .join(_users, users)
        .where(log.tenant_id == scope.tenant_id)
    )


def _page_newest_first(scope: Scope, log: Select[Any], query: PageQuery) -> RowPage[LogRow]:
    """Read one page in descending order of id."""
    if query.cursor:
        log = log.where(_ids < decode_cursor(query.cursor, UUID))
    rows_read = rows.every(LogRow, scope.session.execute(log.order_by(_ids.desc()).limit(query.limit + 1)))
    items = [_with_wording(row) for row in rows_read[: query.limit]]
    return RowPage(items, encode_cursor(items[-1].id) if len(rows_read) > query.limit else None)


def _with_wording(row: LogRow) -> LogRow:
    """Word a notification that was not sent as it would be worded now; one that was sent keeps its wording."""
    if row.title is not None:
        return row
    try:
        wording = render(NotificationKind(row.kind), row.values, language=row.language)
        return replace(row, title=wording.title, message=wording.message)
    except Exception:  # one row that cannot be worded must not hide the others
        logger.exception("a notification cannot be worded", log_id=str(row.id))
        return replace(row, title=row.kind.replace("_", " "), message="")
