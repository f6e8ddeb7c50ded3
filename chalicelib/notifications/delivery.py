"""Sending notifications: what is sent and where, what an answer means, and when a notification is given up.

The order of an attempt (claim and commit, send, settle, retry) is that of chalicelib/delivery. After a crash between
sending and settling the lease ends and the row is sent again: a mail may arrive twice, and is never lost silently. SES
and SNS take no idempotency key; the tags of a mail name its row, whichever attempt it was.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func

from chalicelib.backing.log import count, logger
from chalicelib.backing.mail import MailRefused
from chalicelib.backing.settings import settings
from chalicelib.delivery.attempts import OutboundDelivery
from chalicelib.delivery.leases import LeasedTable
from chalicelib.identity.scope import Scope
from chalicelib.notifications import digests, queries, rules, unsubscribe
from chalicelib.notifications.channels import SENDERS, OutgoingNotification
from chalicelib.notifications.models import notification_logs
from chalicelib.notifications.queries import DueNotification
from chalicelib.notifications.rules import NOT_ESSENTIAL, NOT_SWITCHABLE, Channel, NotificationKind, NotificationStatus
from chalicelib.notifications.wording import Brand, Wording, one_line, render

_LEASED = LeasedTable(notification_logs, rules.RETRY)

_SUPPRESSED_BECAUSE = {"bounce": "a mail to it bounced", "complaint": "its owner reported a mail as unwanted"}


@dataclass(frozen=True, slots=True)
class NotificationCall:
    """One claimed attempt at a notification."""

    attempt: int  # the fencing token
    channel: Channel
    outgoing: OutgoingNotification


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome of one call: the provider's id, or the problem; `is_permanent` where a retry would be useless."""

    provider_id: str | None = None
    problem: str | None = None
    is_permanent: bool = False


class NotificationDelivery(OutboundDelivery[DueNotification, NotificationCall, SendResult]):
    """Notifications that leave by e-mail, push or SMS."""

    def load_due(self, scope: Scope, row_id: UUID) -> DueNotification | None:
        """Lock a notification with its user's addresses and preferences, if it is due."""
        return queries.load_due(scope, row_id)

    def prepare(self, scope: Scope, row: DueNotification) -> NotificationCall | None:
        """Word the notification with what collapses into it, or give it up or postpone it."""
        if (problem := _find_obstacle(row)) is not None:
            _give_up(scope, row, problem)
            return None
        if (quiet_until := digests.find_quiet_until(scope, row)) is not None:
            digests.postpone(scope, row, quiet_until)
            return None
        others = digests.collapse_waiting(scope, row)
        kind = NotificationKind(row.kind)
        try:
            wording = digests.join_wordings(render(kind, row.values, language=row.language), kind, others)
        except Exception:  # whatever the value was, it would be the same the next time
            logger.exception("a notification cannot be worded", log_id=str(row.id))
            _give_up(scope, row, "it could not be put into words; tell us its id")
            return None
        return NotificationCall(row.attempts + 1, Channel(row.channel), _to_outgoing(scope, row, wording))

    def claim(self, scope: Scope, row: DueNotification, call: NotificationCall) -> None:
        """Count and lease the attempt, and keep what is sent and where."""
        wording = call.outgoing.wording
        scope.session.execute(
            _LEASED.claim(scope, row.id, sent_to=row.sent_to, title=wording.title, message=wording.message)
        )

    def call(self, call: NotificationCall) -> SendResult:
        """Send the notification over its channel."""
        try:
            return SendResult(provider_id=SENDERS[call.channel](call.outgoing))
        except MailRefused as refusal:
            return SendResult(problem=str(refusal), is_permanent=True)
        except Exception as error:  # whatever it was, the row keeps it and is retried
            name = type(error).__name__
            # by name only: the text of a provider's or a library's error may hold the address or the message
            logger.warning("not sent", log_id=str(call.outgoing.log_id), channel=call.channel.value, error=name)
            return SendResult(problem=f"it could not be sent ({name})")

    def settle(self, scope: Scope, call: NotificationCall, answer: SendResult) -> None:
        """Write the outcome of an attempt, also to the rows that were collapsed into it."""
        retry_in = None if answer.is_permanent else rules.RETRY.wait_after(call.attempt)
        if answer.problem is None:
            status, retry_in = NotificationStatus.SENT, None
        else:
            status = NotificationStatus.FAILED if retry_in is None else NotificationStatus.PENDING
        count("Notifications", channel=call.channel.value, outcome=status.value)
        log_id = call.outgoing.log_id
        if not _LEASED.settle(
            scope,
            log_id,
            attempt=call.attempt,
            status=status.value,
            problem=answer.problem,
            retry_in=retry_in,
            provider_id=func.coalesce(answer.provider_id, notification_logs.c.provider_id),
            sent_at=func.clock_timestamp() if status is NotificationStatus.SENT else None,
        ):
            logger.warning("a notification's answer came too late", log_id=str(log_id))
            return
        digests.share_outcome(scope, log_id)


NOTIFICATIONS = NotificationDelivery()


def _find_obstacle(row: DueNotification) -> str | None:
    """Return why a notification must not be sent any more, or None."""
    if row.sent_to is None:
        return "the person has no address for this channel any more"
    if row.suppressed_because is not None:
        return (
            f"no mail goes to this address since {row.suppressed_at:%Y-%m-%d}:"
            f" {_SUPPRESSED_BECAUSE[row.suppressed_because]}; correct the"
            " address, or let a tenant admin delete its row of the notification suppressions"
        )
    if row.is_switched_off and row.kind not in NOT_SWITCHABLE:
        return "the person switched these off in the meantime"
    if row.attempts >= rules.RETRY.most_attempts:
        return "the worker that made the last attempt did not come back; it may have arrived"
    return None


def _give_up(scope: Scope, row: DueNotification, problem: str) -> None:
    """Fail a notification, and those that were collapsed into it, without an attempt."""
    status = NotificationStatus.FAILED.value
    if _LEASED.settle(scope, row.id, attempt=row.attempts, status=status, problem=problem, sent_at=None):
        digests.share_outcome(scope, row.id)


def _to_outgoing(scope: Scope, row: DueNotification, wording: Wording) -> OutgoingNotification:
    """Return what a channel sends; the caller has checked that there is an address."""
    stop_url = None
    if row.channel == Channel.EMAIL and row.kind in NOT_ESSENTIAL and (url := settings().public_url):
        stop_url = f"{url}/notifications/unsubscribe/{unsubscribe.make_token(scope, row.id)}"
    brand = Brand.from_settings(row.tenant_name, row.branding)
    return OutgoingNotification(
        scope.tenant_id, row.id, row.sent_to or "", one_line(row.name), wording, brand, stop_url
    )
