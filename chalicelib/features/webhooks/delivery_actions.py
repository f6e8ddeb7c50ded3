"""Delivering: claim an attempt and commit, call outside, settle what was answered.

A worker that dies after its claim leaves a delivery whose lease ends; it is then attempted again, so that an event may
arrive twice and never silently not at all.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import outside, vault
from chalicelib.backing.database import Record
from chalicelib.backing.log import count, logger
from chalicelib.backing.outside import Reply
from chalicelib.entry.messages import SideEffect
from chalicelib.features.webhooks import endpoint_actions, queries, rules
from chalicelib.features.webhooks.rules import DeliveryStatus
from chalicelib.identity.scope import Scope

GONE = 410

# Due by the database's clock, as the moment was set by it; a message that comes twice finds a lease that runs.
_DUE = text("""
    select d.id, d.attempts, d.tries, d.endpoint_id, v.id as event_id, v.body
    from webhook_deliveries d join webhook_events v on v.tenant_id = d.tenant_id and v.id = d.event_id
    where d.tenant_id = :tenant_id and d.id = :id and d.status = 'pending' and d.look_at <= clock_timestamp()
    for update of d""")

_CLAIM = text("""
    with claimed as (
        update webhook_deliveries
        set attempts = attempts + 1, tries = tries + 1, look_at = clock_timestamp() + :lease
        where tenant_id = :tenant_id and id = :id
        returning tenant_id, id, attempts
    )
    insert into webhook_attempts (tenant_id, delivery_id, number) select tenant_id, id, attempts from claimed""")

_NOTE = text("""
    update webhook_attempts set status_code = :status_code, ms = :ms, response = :response, problem = :problem
    where tenant_id = :tenant_id and delivery_id = :id and number = :number""")

# Compare and set: only the latest attempt says what becomes of the delivery.
_SETTLE = text("""
    update webhook_deliveries set
        status = :status, problem = :problem,
        look_at = case when :status = 'pending' then clock_timestamp() + :wait * (1 + :jitter * random()) end,
        settled_at = case when :status <> 'pending' then clock_timestamp() end
    where tenant_id = :tenant_id and id = :id and status = 'pending' and attempts = :number""")


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """The right to attempt a delivery once; `headers` hold a signature that is good for minutes."""

    delivery_id: UUID
    endpoint_id: UUID
    number: int
    tries: int
    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)


def attempt(scope: Scope, delivery_id: UUID) -> SideEffect | None:
    """Attempt a delivery, if its time has come and its endpoint still wants it."""
    due = scope.session.execute(_DUE, {"tenant_id": scope.tenant_id, "id": delivery_id}).mappings().first()
    if due is None:
        return None
    endpoint = queries.get_endpoint(scope, due["endpoint_id"])
    if not endpoint["enabled"]:
        _give_up(scope, due, "the endpoint is disabled; enable it, then replay this delivery")
        return None
    if due["tries"] >= rules.MOST_TRIES:
        _give_up(scope, due, "the worker that made the last attempt did not come back")
        return None
    try:
        secrets = queries.open_secrets(scope, endpoint)
    except vault.Undecryptable:
        logger.exception("a webhook's secret does not open", endpoint_id=str(endpoint["id"]))
        _give_up(scope, due, "the endpoint's secret cannot be opened; rotate it, then replay this delivery")
        return None
    scope.session.execute(_CLAIM, {"tenant_id": scope.tenant_id, "id": delivery_id, "lease": rules.LEASE})
    claim = DeliveryClaim(
        delivery_id,
        endpoint["id"],
        due["attempts"] + 1,
        due["tries"] + 1,
        endpoint["url"],
        due["body"].encode(),
        rules.headers(str(due["event_id"]), body=due["body"], at=scope.now, signed_with=secrets),
    )
    return SideEffect(partial(_call, claim), lambda after, reply: _settle(after, claim, reply))


def _call(claim: DeliveryClaim) -> Reply:
    said = {"Content-Type": "application/json", "User-Agent": "Wagebook-Webhooks/1", **claim.headers}
    return outside.post(claim.url, claim.body, said, seconds=rules.TIME_OUT)


def _settle(scope: Scope, claim: DeliveryClaim, reply: Reply) -> None:
    works, problem = _judged(reply)
    scope.session.execute(
        _NOTE,
        {
            "tenant_id": scope.tenant_id,
            "id": claim.delivery_id,
            "number": claim.number,
            "status_code": reply.status,
            "ms": reply.ms,
            "response": reply.text or None,
            "problem": problem,
        },
    )
    wait = None if reply.status == GONE else rules.wait_after(claim.tries)
    status = DeliveryStatus.DELIVERED if works else DeliveryStatus.FAILED if wait is None else DeliveryStatus.PENDING
    if not _move(scope, claim.delivery_id, claim.number, status, problem=problem, wait=wait):
        logger.warning("a webhook's answer came too late", delivery_id=str(claim.delivery_id))
        return
    count("WebhookAttempts", outcome=status.value)
    endpoint_actions.note_health(scope, endpoint_id=claim.endpoint_id, works=works, gone=reply.status == GONE)


def _judged(reply: Reply) -> tuple[bool, str | None]:
    if reply.status is None:
        return False, reply.problem
    if 200 <= reply.status < 300:
        return True, None
    followed = "; redirects are not followed" if 300 <= reply.status < 400 else ""
    return False, f"it answered {reply.status}{followed}"


def _give_up(scope: Scope, due: Record, why: str) -> None:
    _move(scope, due["id"], due["attempts"], DeliveryStatus.FAILED, problem=why, wait=None)


def _move(
    scope: Scope, delivery_id: UUID, number: int, to: DeliveryStatus, *, problem: str | None, wait: timedelta | None
) -> bool:
    """Set what becomes of a pending delivery, and tell whether this attempt was still the one to say so."""
    moved = scope.session.execute(
        _SETTLE,
        {
            "tenant_id": scope.tenant_id,
            "id": delivery_id,
            "number": number,
            "status": to.value,
            "problem": problem,
            "wait": wait or timedelta(0),
            "jitter": rules.JITTER,
        },
    )
    return bool(moved.rowcount)
