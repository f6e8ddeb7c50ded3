"""Delivering webhooks: what is called, what an answer means, and when a delivery is given up.

The order of an attempt (claim and commit, call, settle, retry) is that of chalicelib/delivery. A worker that dies after
its claim leaves a delivery whose lease ends; it is attempted again, so an event may arrive twice, and is never lost
silently.
"""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Update, func, insert, select, text, update

from chalicelib.backing import outside, rows, vault
from chalicelib.backing.log import count, logger
from chalicelib.backing.outside import Reply
from chalicelib.delivery.attempts import OutboundDelivery
from chalicelib.delivery.leases import LeasedTable
from chalicelib.features.webhooks import endpoint_actions, queries, rules
from chalicelib.features.webhooks.models import webhook_attempts, webhook_deliveries
from chalicelib.features.webhooks.rules import DeliveryStatus
from chalicelib.identity.scope import Scope

GONE = 410  # the HTTP status by which a receiver says that it wants no more

_LEASED = LeasedTable(webhook_deliveries, rules.RETRY)

_LOAD_DUE = text("""
    select d.id, d.attempts, d.tries, d.endpoint_id, v.id as event_id, v.body
    from webhook_deliveries d join webhook_events v on v.tenant_id = d.tenant_id and v.id = d.event_id
    where d.tenant_id = :tenant_id and d.id = :id and d.status = 'pending' and d.look_at <= clock_timestamp()
    for update of d""")


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery whose attempt is due, locked: `attempts` in all, `tries` since it was made or last replayed."""

    id: UUID
    attempts: int
    tries: int
    endpoint_id: UUID
    event_id: UUID
    body: str


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """One claimed attempt at a delivery; `headers` hold a signature that is valid for minutes."""

    delivery_id: UUID
    endpoint_id: UUID
    attempt: int  # the fencing token
    tries: int
    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)


class WebhookDelivery(OutboundDelivery[DueDelivery, WebhookCall, Reply]):
    """Deliveries of webhooks: a signed POST to an endpoint of the tenant's."""

    def load_due(self, scope: Scope, row_id: UUID) -> DueDelivery | None:
        """Lock a delivery with its event's body, if it is due."""
        return rows.first(DueDelivery, scope.session.execute(_LOAD_DUE, {"tenant_id": scope.tenant_id, "id": row_id}))

    def prepare(self, scope: Scope, row: DueDelivery) -> WebhookCall | None:
        """Sign the call, or give the delivery up where its endpoint is disabled or has no readable secret."""
        endpoint = queries.get_endpoint(scope, row.endpoint_id)
        if not endpoint.enabled:
            _give_up(scope, row, "the endpoint is disabled; enable it, then replay this delivery")
            return None
        if row.tries >= rules.RETRY.most_attempts:
            _give_up(scope, row, "the worker that made the last attempt did not come back")
            return None
        try:
            secrets = queries.decrypt_secrets(scope, endpoint)
        except vault.Undecryptable:
            logger.exception("a webhook's secret does not open", endpoint_id=str(endpoint.id))
            _give_up(scope, row, "the endpoint's secret cannot be opened; rotate it, then replay this delivery")
            return None
        return WebhookCall(
            row.id,
            endpoint.id,
            row.attempts + 1,
            row.tries + 1,
            endpoint.url,
            row.body.encode(),
            rules.headers(str(row.event_id), body=row.body, at=scope.now, signed_with=secrets),
        )

    def claim(self, scope: Scope, row: DueDelivery, call: WebhookCall) -> None:
        """Count and lease the attempt, and write its row in the log of attempts."""
        delivery = webhook_deliveries.c
        claimed = (
            _LEASED.claim(scope, row.id, tries=delivery.tries + 1)
            .returning(delivery.tenant_id, delivery.id, delivery.attempts)
            .cte("claimed")
        )
        scope.session.execute(
            insert(webhook_attempts).from_select(["tenant_id", "delivery_id", "number"], select(claimed))
        )

    def call(self, call: WebhookCall) -> Reply:
        """Post the event to the endpoint."""
        headers = {"Content-Type": "application/json", "User-Agent": "Wagebook-Webhooks/1", **call.headers}
        return outside.post(call.url, call.body, headers, seconds=rules.CALL_SECONDS)

    def settle(self, scope: Scope, call: WebhookCall, answer: Reply) -> None:
        """Write the answer to the log, and what it means for the delivery and for its endpoint's health."""
        works, is_gone = answer.status is not None and 200 <= answer.status < 300, answer.status == GONE
        problem = None if works else _find_problem(answer)
        scope.session.execute(_write_answer(scope, call, answer, problem))
        retry_in = None if works or is_gone else rules.RETRY.wait_after(call.tries)
        status = (
            DeliveryStatus.DELIVERED if works else DeliveryStatus.FAILED if retry_in is None else DeliveryStatus.PENDING
        )
        if not _LEASED.settle(
            scope,
            call.delivery_id,
            attempt=call.attempt,
            status=status.value,
            problem=problem,
            retry_in=retry_in,
            settled_at=None if retry_in else func.clock_timestamp(),
        ):
            logger.warning("a webhook's answer came too late", delivery_id=str(call.delivery_id))
            return
        count("WebhookAttempts", outcome=status.value)
        endpoint_actions.note_health(scope, endpoint_id=call.endpoint_id, works=works, gone=is_gone)


WEBHOOKS = WebhookDelivery()


def _write_answer(scope: Scope, call: WebhookCall, answer: Reply, problem: str | None) -> Update:
    attempt = webhook_attempts.c
    return (
        update(webhook_attempts)
        .where(
            attempt.tenant_id == scope.tenant_id,
            attempt.delivery_id == call.delivery_id,
            attempt.number == call.attempt,
        )
        .values(status_code=answer.status, ms=answer.ms, response=answer.text or None, problem=problem)
    )


def _find_problem(answer: Reply) -> str | None:
    """Return why an answer does not count as delivered."""
    if answer.status is None:
        return answer.problem
    redirects = "; redirects are not followed" if 300 <= answer.status < 400 else ""
    return f"it answered {answer.status}{redirects}"


def _give_up(scope: Scope, row: DueDelivery, problem: str) -> None:
    """Fail a delivery without an attempt."""
    _LEASED.settle(
        scope,
        row.id,
        attempt=row.attempts,
        status=DeliveryStatus.FAILED.value,
        problem=problem,
        settled_at=func.clock_timestamp(),
    )
