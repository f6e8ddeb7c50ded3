"""Many notifications of one kind to one user become one message, so that an import does not send two hundred mails.

A notification that is sent takes with it those that wait: of its kind, for the same user and channel, and not attempted
yet. One that comes within rules.QUIET after a message was sent waits until that period is over. There is still one row
per cause; it shares the outcome of the row that it was collapsed into (`collapsed_into`), and the app shows them all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.identity.scope import Scope
from chalicelib.notifications import rules
from chalicelib.notifications.queries import DueNotification
from chalicelib.notifications.rules import COLLAPSIBLE, NotificationKind
from chalicelib.notifications.wording import BENGALI, Wording, format_number, one_line, render

_LAST_SENT_AT = text(statement(__file__, "last_sent_at"))

_POSTPONE = text("""
    update notification_logs set look_at = :until
    where tenant_id = :tenant_id and id = :id and status = 'pending' and attempts = 0""")

_COLLAPSE = text(statement(__file__, "collapse"))

_SHARE_OUTCOME = text(statement(__file__, "share_outcome"))

_MORE = {BENGALI: "এবং আরও {}টি; সবগুলো অ্যাপে আছে।"}
_MORE_IN_ENGLISH = "And {} more; the app shows them all."


def find_quiet_until(scope: Scope, due: DueNotification) -> datetime | None:
    """Return until when a new notification waits, as one of its kind was just sent; None if it may be sent now."""
    if due.kind not in COLLAPSIBLE or due.attempts:
        return None
    sent_at: datetime | None = scope.session.execute(
        _LAST_SENT_AT, {**_to_parameters(scope, due), "quiet": rules.QUIET}
    ).scalar_one()
    return sent_at + rules.QUIET if sent_at else None


def postpone(scope: Scope, due: DueNotification, until: datetime) -> None:
    """Let a notification wait; one that is sent before then collapses it."""
    scope.session.execute(_POSTPONE, {"tenant_id": scope.tenant_id, "id": due.id, "until": until})


def collapse_waiting(scope: Scope, due: DueNotification) -> Sequence[Mapping[str, Any]]:
    """Collapse the notifications that wait into the one that is sent; return the values for their templates."""
    if due.kind not in COLLAPSIBLE:
        return []
    parameters = {
        **_to_parameters(scope, due),
        "most": rules.MOST_COLLAPSED,
        "lease": rules.RETRY.lease,
        "sent_to": due.sent_to,
    }
    return list(scope.session.execute(_COLLAPSE, parameters).scalars())


def share_outcome(scope: Scope, log_id: UUID) -> None:
    """Copy the outcome of a notification to those that were collapsed into it."""
    scope.session.execute(_SHARE_OUTCOME, {"tenant_id": scope.tenant_id, "id": log_id})


def join_wordings(first: Wording, kind: NotificationKind, others: Sequence[Mapping[str, Any]]) -> Wording:
    """Return one wording for several notifications of a kind: the first in full, then the titles of the others."""
    if not others:
        return first
    titles = [render(kind, values, language=first.language).title for values in others[: rules.MOST_NAMED]]
    if (rest := len(others) - len(titles)) > 0:
        more = _MORE.get(first.language, _MORE_IN_ENGLISH)
        titles.append(more.format(format_number(rest, first.language)))
    count = format_number(len(others), first.language)
    return Wording(
        title=one_line(f"{first.title} (+{count})"),
        message="\n\n".join([first.message, *titles]),
        html="\n\n".join([first.html, *map(escape, titles)]),
        language=first.language,
    )


def _to_parameters(scope: Scope, due: DueNotification) -> dict[str, Any]:
    """Return the parameters that name a notification, and its kind, user and channel."""
    return {
        "tenant_id": scope.tenant_id,
        "id": due.id,
        "user_id": due.user_id,
        "kind": due.kind,
        "channel": due.channel,
    }
