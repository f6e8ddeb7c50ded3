"""What SES tells of a mail later, through SNS and SQS: it bounced, or its reader complained.

Such a message is not ours and names no tenant; the tags that we gave the mail come back in it, and say whose mail it
was. Only our topic may write to that queue, and only SES to the topic. Even so nothing is believed but that a mail came
back: the row must be there in that tenant, as a mail that was sent, and the address is the row's own.
"""

import json
from typing import Any

from sqlalchemy import text

from chalicelib.backing.log import count, logger
from chalicelib.identity.scope import Scope

QUEUE = "mail-events"

# A later attempt has another id at SES than the one that came back, and the same address. A row that waits was sent by
# a worker that was killed before it could say so. What came twice finds the row changed, and suppresses nothing anew.
_NOTE = text("""
    with noted as (
        update notification_logs set
            status = case when :reason = 'bounce' then 'bounced' when status = 'pending' then 'sent' else status end,
            look_at = null, provider_id = coalesce(provider_id, :provider_id), problem = :problem
        where tenant_id = :tenant_id and (id = :log_id or collapsed_into = :log_id)
          and channel = 'email' and sent_to is not null
          and (provider_id is null or provider_id = :provider_id or attempts > 1)
          and status <> 'bounced' and problem is distinct from :problem
        returning tenant_id, id, sent_to
    ), suppressed as (
        insert into notification_suppressions (tenant_id, address, reason, log_id)
        select tenant_id, lower(sent_to), :reason, id from noted where :suppress and id = :log_id
        on conflict (tenant_id, address) do nothing
    )
    select id from noted where id = :log_id""")


def messages_in(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Make a message of ours out of SES's, or none where it tells of nothing that we keep."""
    event = json.loads(body["Message"]) if body.get("Type") == "Notification" else body
    what, mail = event.get("eventType"), event.get("mail", {})
    tags = mail.get("tags", {})
    if what not in ("Bounce", "Complaint") or not {"tenant_id", "log_id"} <= tags.keys():
        return []
    bounce = event.get("bounce", {})
    for_good = what == "Complaint" or bounce.get("bounceType") == "Permanent"
    return [
        {
            "tenant_id": tags["tenant_id"][0],
            "log_id": tags["log_id"][0],
            "provider_id": mail["messageId"],
            "reason": what.lower(),
            "for_good": for_good,
            "detail": f"{bounce.get('bounceType')}, {bounce.get('bounceSubType')}" if what == "Bounce" else "",
        }
    ]


def note(scope: Scope, message: dict[str, Any]) -> None:
    """Mark a mail that came back; where it always would, no mail of the tenant goes there any more."""
    if message["reason"] == "bounce":
        problem = f"it bounced ({message['detail']})"
    else:
        problem = "it arrived, and its reader reported it as unwanted"
    noted = scope.session.execute(
        _NOTE,
        {
            "tenant_id": scope.tenant_id,
            "log_id": message["log_id"],
            "provider_id": message["provider_id"],
            "reason": message["reason"],
            "suppress": message["for_good"],
            "problem": problem,
        },
    ).first()
    if noted is None:
        logger.info("a mail that came back is not there, or was noted before", log_id=message["log_id"])
        return
    count("MailsBack", reason=message["reason"])
