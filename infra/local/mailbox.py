"""Show on a page what the product mailed: the stand-in for SES sends nothing, and keeps it."""

from __future__ import annotations

import email
import html
import json
import urllib.request
from email.message import EmailMessage
from email.policy import default
from typing import Any

PATH = "/_mail"  # beside the product's own paths; no endpoint begins with it
SENT = "/moto-api/mail.json"  # in the stand-in
MOST = 200
HTML = "text/html; charset=utf-8"
Page = tuple[int, dict[str, Any], str]


def sent_mail(request: Any, full_url: str, headers: Any) -> Page:
    """Return, in the stand-in's own process, the mails of every region as they were taken, oldest first."""
    from moto.ses.models import ses_backends

    sent = [
        mail.raw_data
        for account in ses_backends.values()
        for one in account.values()
        for mail in one.sent_messages
        if hasattr(mail, "raw_data")
    ]
    return 200, {"Content-Type": "application/json"}, json.dumps(sent)


def is_mail(path: str) -> bool:
    """Return whether a path is one of the mailbox's."""
    plain = path.partition("?")[0]
    return plain == PATH or plain.startswith(f"{PATH}/")


def page(path: str, *, endpoint: str) -> Page:
    """Make the list of mails, newest first, or one of them; `endpoint` is the stand-in's address."""
    with urllib.request.urlopen(f"{endpoint}{SENT}", timeout=10) as answer:  # noqa: S310  # our own http address
        sent: list[str] = json.load(answer)
    number = path.partition("?")[0].removeprefix(PATH).strip("/")
    if not number:
        return _answer(200, "Mail", _listed(sent))
    if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) <= len(sent)):
        return _answer(404, "Mail", "<p>There is no such mail; the stand-in forgets them when it ends.</p>")
    mail = _read(sent[int(number[:9]) - 1])
    return _answer(200, str(mail["Subject"]), _shown(mail))


def _listed(sent: list[str]) -> str:
    rows = []
    for number, raw in list(enumerate(sent, start=1))[: -MOST - 1 : -1]:
        mail = _read(raw)
        subject = html.escape(str(mail["Subject"])) or "(no subject)"
        rows.append(
            f'<tr><td>{number}<td>{_safe(mail["To"])}<td><a href="{PATH}/{number}">{subject}</a>'
            f"<td>{_safe(mail['From'])}"
        )
    summary = f"<p>{len(sent)} mails; the latest {MOST} are listed.</p>" if len(sent) > MOST else ""
    return (
        f"{summary}<table><tr><th><th>To<th>Subject<th>From{''.join(rows)}</table>" if rows else "<p>No mail yet.</p>"
    )


def _shown(mail: EmailMessage) -> str:
    headers = "".join(f"<tr><th>{html.escape(name)}<td>{_safe(value)}" for name, value in mail.items())
    text, rich = _part(mail, "plain"), _part(mail, "html")
    # the mail is untrusted: no script, no origin of ours
    frame = f'<iframe sandbox srcdoc="{html.escape(rich)}"></iframe>' if rich else ""
    return f'<p><a href="{PATH}">All mail</a></p><table>{headers}</table>{frame}<pre>{html.escape(text)}</pre>'


def _read(raw: str) -> EmailMessage:
    message: EmailMessage = email.message_from_string(raw, policy=default)
    return message


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def _safe(value: Any) -> str:
    return html.escape(str(value or ""))


def _answer(status: int, title: str, body: str) -> Page:
    headers = {
        "Content-Type": HTML,
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'",
        "Cache-Control": "no-store",
    }
    return (
        status,
        headers,
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
            "<style>body{font:15px/1.5 sans-serif;margin:2em;max-width:70em}"
            "td,th{text-align:left;padding:2px 12px 2px 0;vertical-align:top}"
            "iframe{width:100%;height:32em;border:1px solid #ccc;margin:1em 0}pre{white-space:pre-wrap}"
            f"</style><h1>{html.escape(title)}</h1>{body}"
        ),
    )
