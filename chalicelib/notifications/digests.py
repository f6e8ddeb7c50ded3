"""Many notifications of one kind to one person become one message, so that an import does not send two hundred mails.

What leaves next takes along what waits: all of its kind for the same person and channel that nobody attempted yet. What
comes within QUIET of a message that left waits until that is over. The rows stay one for each cause, and share the
outcome of the one that they were collapsed into; the app shows every one of them.
"""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import Record
from chalicelib.identity.scope import Scope
from chalicelib.notifications import rules
from chalicelib.notifications.rules import COLLAPSIBLE, NotificationKind
from chalicelib.notifications.wording import BENGALI, Wording, in_digits, one_line, worded

_LEFT_AT = text("""
    select max(sent_at) from notification_logs
    where tenant_id = :tenant_id and user_id = :user_id and kind = :kind and channel = :channel
      and id <> :id and status = 'sent' and sent_at > clock_timestamp() - :quiet""")

_POSTPONE = text("""
    update notification_logs set look_at = :until
    where tenant_id = :tenant_id and id = :id and status = 'pending' and attempts = 0""")

# Rows that another attempt holds are its own. Those of an earlier attempt of this one stay with it.
_TAKE_ALONG = text("""
    with waiting as (
        select id from notification_logs
        where tenant_id = :tenant_id and user_id = :user_id and kind = :kind and channel = :channel and id <> :id
          and status = 'pending' and (collapsed_into = :id or collapsed_into is null and attempts = 0)
        order by id limit :most
        for update skip locked
    ), taken as (
        update notification_logs l
        set collapsed_into = :id, look_at = clock_timestamp() + :lease, sent_to = :sent_to
        from waiting w where l.tenant_id = :tenant_id and l.id = w.id
        returning l.id, l.said
    )
    select said from taken order by id""")

_SHARE_OUTCOME = text("""
    update notification_logs l
    set status = leader.status, look_at = leader.look_at, problem = leader.problem, provider_id = leader.provider_id,
        sent_at = leader.sent_at
    from notification_logs leader
    where leader.tenant_id = :tenant_id and leader.id = :id
      and l.tenant_id = :tenant_id and l.collapsed_into = :id and l.status = 'pending'""")

_MORE = {BENGALI: "এবং আরও {}টি; সবগুলো অ্যাপে আছে।"}
_MORE_IN_ENGLISH = "And {} more; the app shows them all."


def quiet_until(scope: Scope, due: Record) -> datetime | None:
    """Return until when a new notification waits, as one of its kind left just now; None where it may leave."""
    if due["kind"] not in COLLAPSIBLE or due["attempts"]:
        return None
    left_at = scope.session.execute(_LEFT_AT, {**_place(scope, due), "quiet": rules.QUIET}).scalar_one()
    return left_at + rules.QUIET if left_at else None


def postpone(scope: Scope, due: Record, until: datetime) -> None:
    """Let a notification wait; what leaves before takes it along."""
    scope.session.execute(_POSTPONE, {"tenant_id": scope.tenant_id, "id": due["id"], "until": until})


def take_along(scope: Scope, due: Record) -> Sequence[dict[str, Any]]:
    """Collapse what waits into the notification that leaves; return the values of their wordings."""
    if due["kind"] not in COLLAPSIBLE:
        return []
    values = {**_place(scope, due), "most": rules.MOST_COLLAPSED, "lease": rules.LEASE, "sent_to": due["sent_to"]}
    return list(scope.session.execute(_TAKE_ALONG, values).scalars())


def share_outcome(scope: Scope, log_id: UUID) -> None:
    """Give the rows that were collapsed into one the outcome that it has now."""
    scope.session.execute(_SHARE_OUTCOME, {"tenant_id": scope.tenant_id, "id": log_id})


def in_one(first: Wording, kind: NotificationKind, others: Sequence[dict[str, Any]]) -> Wording:
    """Return one wording for several notifications of a kind: the first in full, then the titles of the others."""
    if not others:
        return first
    named = [worded(kind, one, language=first.language).title for one in others[: rules.MOST_NAMED]]
    if (rest := len(others) - len(named)) > 0:
        more = _MORE.get(first.language, _MORE_IN_ENGLISH)
        named.append(more.format(in_digits(rest, first.language)))
    count = in_digits(len(others), first.language)
    return Wording(
        title=one_line(f"{first.title} (+{count})"),
        message="\n\n".join([first.message, *named]),
        html="\n\n".join([first.html, *map(escape, named)]),
        language=first.language,
    )


def _place(scope: Scope, due: Record) -> dict[str, Any]:
    return {
        "tenant_id": scope.tenant_id,
        "id": due["id"],
        "user_id": due["user_id"],
        "kind": due["kind"],
        "channel": due["channel"],
    }
