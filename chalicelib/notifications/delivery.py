"""Sending: claim an attempt and commit, send, settle what the provider answered.

A worker that dies after its claim leaves a row whose lease ends; it is then sent again. So a crash between sending and
settling errs on this side: a mail may arrive twice, and never silently not at all. SES and SNS take no key of ours that
would tell them of the repetition; the tags of a mail say which row it was, whichever attempt it was.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import Record
from chalicelib.backing.log import count, logger
from chalicelib.backing.mail import MailRefused
from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect
from chalicelib.identity.scope import Scope
from chalicelib.notifications import digests, rules, unsubscribe
from chalicelib.notifications.channels import SENDERS, Letter
from chalicelib.notifications.rules import NOT_ESSENTIAL, NOT_SWITCHABLE, Channel, NotificationKind, NotificationStatus
from chalicelib.notifications.wording import Brand, Wording, one_line, worded

# Due by the database's clock, as the moment was set by it; a message that comes twice finds a lease that runs.
_DUE = text("""
    select l.id, l.user_id, l.kind, l.channel, l.said, l.attempts, u.name, u.language, t.name as tenant, t.branding,
        case l.channel when 'email' then coalesce(l.address, u.email)
            when 'push' then p.push_endpoint when 'sms' then p.phone end as sent_to,
        coalesce(l.kind || '/' || l.channel = any(p.switched_off), false) as is_off,
        s.reason, s.created_at as suppressed_at
    from notification_logs l
    join tenants t on t.id = l.tenant_id
    join users u on u.tenant_id = l.tenant_id and u.id = l.user_id
    left join notification_preferences p on p.tenant_id = l.tenant_id and p.user_id = l.user_id
    left join notification_suppressions s
        on l.channel = 'email' and s.tenant_id = l.tenant_id and s.address = lower(coalesce(l.address, u.email))
    where l.tenant_id = :tenant_id and l.id = :id and l.status = 'pending' and l.look_at <= clock_timestamp()
      and l.collapsed_into is null
    for update of l""")

_CLAIM = text("""
    update notification_logs set
        attempts = attempts + 1, look_at = clock_timestamp() + :lease,
        sent_to = :sent_to, title = :title, message = :message
    where tenant_id = :tenant_id and id = :id""")

# Compare and set: only the latest attempt says what becomes of it.
_SETTLE = text("""
    update notification_logs set
        status = :status, provider_id = coalesce(:provider_id, provider_id), problem = :problem,
        look_at = case when :status = 'pending' then clock_timestamp() + :wait * (1 + :jitter * random()) end,
        sent_at = case when :status = 'sent' then clock_timestamp() end
    where tenant_id = :tenant_id and id = :id and status = 'pending' and attempts = :attempts""")

_WHY = {"bounce": "a mail to it bounced", "complaint": "its owner reported a mail as unwanted"}


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What came of one attempt."""

    provider_id: str | None = None
    problem: str | None = None
    for_good: bool = False


def attempt(scope: Scope, log_id: UUID) -> SideEffect | None:
    """Send a notification, if its time has come and there is where to."""
    due = scope.session.execute(_DUE, {"tenant_id": scope.tenant_id, "id": log_id}).mappings().first()
    if due is None:
        return None
    if (why := _why_not(due)) is not None:
        _move(scope, log_id, due["attempts"], NotificationStatus.FAILED, problem=why)
        return None
    if (until := digests.quiet_until(scope, due)) is not None:
        digests.postpone(scope, due, until)
        return None
    others = digests.take_along(scope, due)
    try:
        wording = worded(NotificationKind(due["kind"]), due["said"], language=due["language"])
        wording = digests.in_one(wording, NotificationKind(due["kind"]), others)
    except Exception:  # whatever a value was: it would be the same the next time
        logger.exception("a notification cannot be worded", log_id=str(log_id))
        _move(
            scope,
            log_id,
            due["attempts"],
            NotificationStatus.FAILED,
            problem="it could not be put into words; tell us its id",
        )
        return None
    scope.session.execute(
        _CLAIM,
        {
            "tenant_id": scope.tenant_id,
            "id": log_id,
            "lease": rules.LEASE,
            "sent_to": due["sent_to"],
            "title": wording.title,
            "message": wording.message,
        },
    )
    letter = _letter(scope, due, wording)
    call = partial(_call, Channel(due["channel"]), letter)
    return SideEffect(call, partial(_settle, log_id=log_id, attempts=due["attempts"] + 1, channel=due["channel"]))


def _why_not(due: Record) -> str | None:
    if due["sent_to"] is None:
        return "the person has no address for this channel any more"
    if due["reason"] is not None:
        return (
            f"no mail goes to this address since {due['suppressed_at']:%Y-%m-%d}: {_WHY[due['reason']]}; correct the"
            " address, or let a tenant admin delete its row of the notification suppressions"
        )
    if due["is_off"] and NotificationKind(due["kind"]) not in NOT_SWITCHABLE:
        return "the person switched these off in the meantime"
    if due["attempts"] >= rules.MOST_ATTEMPTS:
        return "the worker that made the last attempt did not come back; it may have arrived"
    return None


def _letter(scope: Scope, due: Record, wording: Wording) -> Letter:
    stop_url = None
    if due["channel"] == Channel.EMAIL and due["kind"] in NOT_ESSENTIAL and (url := settings().public_url):
        stop_url = f"{url}/notifications/unsubscribe/{unsubscribe.token_of(scope, due['id'])}"
    brand = Brand.of(due["tenant"], due["branding"])
    return Letter(scope.tenant_id, due["id"], due["sent_to"], one_line(due["name"]), wording, brand, stop_url)


def _call(channel: Channel, letter: Letter) -> DeliveryResult:
    try:
        return DeliveryResult(provider_id=SENDERS[channel](letter))
    except MailRefused as refusal:
        return DeliveryResult(problem=str(refusal), for_good=True)
    except Exception as error:  # whatever it was: the row says so, and the ladder tries again
        # by name only: what a provider or a library says may hold the address or the text
        logger.warning("not sent", log_id=str(letter.log_id), channel=channel.value, error=type(error).__name__)
        return DeliveryResult(problem=f"it could not be sent ({type(error).__name__})")


def _settle(scope: Scope, answer: DeliveryResult, *, log_id: UUID, attempts: int, channel: str) -> None:
    wait = None if answer.for_good else rules.wait_after(attempts)
    status = (
        NotificationStatus.SENT
        if answer.problem is None
        else NotificationStatus.FAILED
        if wait is None
        else NotificationStatus.PENDING
    )
    count("Notifications", channel=channel, outcome=status.value)
    if not _move(scope, log_id, attempts, status, problem=answer.problem, provider_id=answer.provider_id, wait=wait):
        logger.warning("a notification's answer came too late", log_id=str(log_id))


def _move(
    scope: Scope,
    log_id: UUID,
    attempts: int,
    to: NotificationStatus,
    *,
    problem: str | None,
    provider_id: str | None = None,
    wait: timedelta | None = None,
) -> bool:
    """Set what becomes of a pending row, and tell whether this attempt was still the one to say so."""
    moved = scope.session.execute(
        _SETTLE,
        {
            "tenant_id": scope.tenant_id,
            "id": log_id,
            "attempts": attempts,
            "status": to.value,
            "problem": problem,
            "provider_id": provider_id,
            "wait": wait or timedelta(0),
            "jitter": rules.JITTER,
        },
    )
    if moved.rowcount:
        digests.share_outcome(scope, log_id)
    return bool(moved.rowcount)
