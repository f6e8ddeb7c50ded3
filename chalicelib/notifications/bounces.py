"""Bounces and complaints: mail events of SES, through SNS and SQS, and the suppression of addresses.

Such a message is not ours and names no tenant; the tags that we gave the mail come back in it and name its tenant and
row. Only our topic may write to that queue, and only SES to the topic. Even so a message is trusted only to say that a
mail came back: the row must exist in that tenant as a mail that was sent, and the address is the row's own.
"""

import json
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.backing.log import count, logger
from chalicelib.identity.scope import Scope

QUEUE = "mail-events"

_NOTE = text(statement(__file__, "note_mail_event"))


class MailEvent(BaseModel):
    """A message of the queue: a mail that bounced or was complained about."""

    log_id: UUID
    provider_id: str
    reason: Literal["bounce", "complaint"]
    for_good: bool  # a permanent bounce or a complaint: the address is suppressed
    detail: str


def read_messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Convert an event of SES to messages of ours, or to none where it is neither a bounce nor a complaint."""
    event = json.loads(body["Message"]) if body.get("Type") == "Notification" else body
    event_type, mail = event.get("eventType"), event.get("mail", {})
    tags = mail.get("tags", {})
    if event_type not in ("Bounce", "Complaint") or not {"tenant_id", "log_id"} <= tags.keys():
        return []
    bounce = event.get("bounce", {})
    is_permanent = event_type == "Complaint" or bounce.get("bounceType") == "Permanent"
    return [
        {
            "tenant_id": tags["tenant_id"][0],
            "log_id": tags["log_id"][0],
            "provider_id": mail["messageId"],
            "reason": event_type.lower(),
            "for_good": is_permanent,
            "detail": f"{bounce.get('bounceType')}, {bounce.get('bounceSubType')}" if event_type == "Bounce" else "",
        }
    ]


def note(scope: Scope, event: MailEvent) -> None:
    """Mark a mail that came back; where the reason is permanent, suppress the address for the tenant."""
    if event.reason == "bounce":
        problem = f"it bounced ({event.detail})"
    else:
        problem = "it arrived, and its reader reported it as unwanted"
    noted = scope.session.execute(
        _NOTE,
        {
            "tenant_id": scope.tenant_id,
            "log_id": event.log_id,
            "provider_id": event.provider_id,
            "reason": event.reason,
            "suppress": event.for_good,
            "problem": problem,
        },
    ).first()
    if noted is None:
        logger.info("a mail that came back is not there, or was noted before", log_id=str(event.log_id))
        return
    count("MailsBack", reason=event.reason)
