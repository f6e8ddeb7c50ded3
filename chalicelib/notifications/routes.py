"""HTTP endpoints of notifications."""

from pathlib import Path
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import FileReply, endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.identity.scope import Scope
from chalicelib.notifications import actions, preference_actions, queries, schemas, unsubscribe

blueprint = Blueprint(__name__)
HTML = "text/html; charset=utf-8"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
_QUESTION = """<p>Do you want no more mails like this one?<br>এই ধরনের মেইল কি আর চান না?</p>
<form method="post"><button>Stop these mails / বন্ধ করুন</button></form>"""
_STOPPED = """<p>You will get no more mails like this one. To get them again, change your notification preferences.<br>
এই ধরনের মেইল আর পাঠানো হবে না।</p>"""


@endpoint(blueprint, "GET", "/notifications", may="notifications.read", reply=Page[schemas.Notification])
def list_notifications(scope: Scope, query: schemas.NotificationQuery) -> RowPage[queries.LogRow]:
    """List what you are told in the app, newest first."""
    return queries.page_of_notifications(scope, query)


@endpoint(blueprint, "POST", "/notifications", may="notifications.send", status=201)
def announce(scope: Scope, body: schemas.NewNotification) -> schemas.Announcement:
    """Tell people something in your own words, over the channels that they want."""
    return actions.announce(scope, new=body)


@endpoint(
    blueprint, "POST", "/notifications/{notification_id}/open", may="notifications.write", reply=schemas.Notification
)
def open_notification(scope: Scope, notification_id: UUID) -> queries.LogRow:
    """Note that you opened a notification."""
    return actions.open_notification(scope, notification_id)


@endpoint(blueprint, "GET", "/notifications/unsubscribe/{token}", may=None, produces=HTML)
def ask_to_stop(token: str) -> FileReply:
    """Ask the reader of a mail whether to stop its kind; it changes nothing, as programs follow links too."""
    return _page(_QUESTION)


@endpoint(blueprint, "POST", "/notifications/unsubscribe/{token}", may=None, accepts=FORMS, produces=HTML)
def stop(token: str) -> FileReply:
    """Send the reader of a mail no more of its kind, at one click of theirs (RFC 8058)."""
    unsubscribe.unsubscribe(token)
    return _page(_STOPPED)


@endpoint(blueprint, "GET", "/notification-preferences", may="notifications.read")
def get_preferences(scope: Scope) -> schemas.Preferences:
    """Show over which channels you are told what."""
    return queries.get_preferences(scope)


@endpoint(blueprint, "PUT", "/notification-preferences", may="notifications.write")
def set_preferences(scope: Scope, body: schemas.NewPreferences, if_match: int | None) -> schemas.Preferences:
    """Say over which channels you are told what; in which language is said with the person."""
    return preference_actions.set_preferences(scope, new=body, if_match=if_match)


@endpoint(blueprint, "GET", "/notification-logs", may="notification_logs.read", reply=Page[schemas.LogEntry])
def list_logs(scope: Scope, query: schemas.LogQuery) -> RowPage[queries.LogRow]:
    """List who was told what over which channel, and what became of it, newest first."""
    return queries.page_of_logs(scope, query)


@endpoint(blueprint, "GET", "/notification-suppressions", may="suppressions.read", reply=Page[schemas.Suppression])
def list_suppressions(scope: Scope, query: PageQuery) -> RowPage[queries.SuppressionRow]:
    """List the addresses that no mail goes to, as one came back, oldest first."""
    return queries.page_of_suppressions(scope, query)


@endpoint(blueprint, "DELETE", "/notification-suppressions/{suppression_id}", may="suppressions.write", status=204)
def lift_suppression(scope: Scope, suppression_id: UUID) -> None:
    """Let mail go to an address again, once it is put right."""
    preference_actions.lift_suppression(scope, suppression_id=suppression_id)


def _page(content: str) -> FileReply:
    return FileReply((Path(__file__).parent / "stop.html").read_text().replace("ASK", content), HTML)
