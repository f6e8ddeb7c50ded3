"""Writes of events and deliveries: publishing what happened, a ping, a replay, deleting old events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from chalicelib import audit
from chalicelib.backing.database import statement, transaction
from chalicelib.backing.outbox import Message
from chalicelib.entry.get_or_404 import get_row
from chalicelib.features.webhooks import queries, rules
from chalicelib.features.webhooks.models import webhook_deliveries, webhook_events
from chalicelib.features.webhooks.rules import DELIVERY_MOVES, DeliveryStatus, EventType
from chalicelib.features.webhooks.schemas import WholeDelivery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.states import check_move

QUEUE = "webhooks"

_PUBLISH = text(statement(__file__, "publish"))
_REPLAY = text("""
    update webhook_deliveries set
        status = 'pending', tries = 0, look_at = clock_timestamp(), problem = null, settled_at = null
    where tenant_id = :tenant_id and id = :id""")


@dataclass(frozen=True, slots=True)
class _DeliveryState:
    """What a replay asks of a delivery."""

    endpoint_id: UUID
    status: str


def publish(scope: Scope, *, event_type: EventType, data: Mapping[str, Any]) -> int:
    """Publish an event to every endpoint that subscribed to its type, if and only if this transaction commits.

    `data` is what JSON can say, without names and bank details. Returns the number of endpoints; where there is none,
    one lookup is all it costs.
    """
    rows = scope.session.execute(
        _PUBLISH,
        {
            "tenant_id": scope.tenant_id,
            "event_type": event_type.value,
            "body": _body(scope, event_type.value, data),
            "queue": QUEUE,
        },
    ).all()
    scope.outgoing += [Message(scope.tenant_id, row.id, QUEUE, row.body) for row in rows]
    return len(rows)


def ping(scope: Scope, endpoint_id: UUID) -> WholeDelivery:
    """Send an endpoint an event without meaning, and return its delivery."""
    _check_enabled(scope, endpoint_id)
    event_id: UUID = scope.session.execute(
        insert(webhook_events)
        .values(
            tenant_id=scope.tenant_id, type=rules.PING, body=_body(scope, rules.PING, {"endpoint_id": str(endpoint_id)})
        )
        .returning(webhook_events.c.id)
    ).scalar_one()
    delivery_id: UUID = scope.session.execute(
        insert(webhook_deliveries)
        .values(tenant_id=scope.tenant_id, event_id=event_id, endpoint_id=endpoint_id)
        .returning(webhook_deliveries.c.id)
    ).scalar_one()
    scope.send(QUEUE, [{"delivery_id": str(delivery_id)}])
    return queries.get_delivery(scope, delivery_id)


def replay(scope: Scope, delivery_id: UUID) -> WholeDelivery:
    """Send a delivery again now, from the beginning of the retry schedule, whatever became of it before."""
    before = get_row(scope, webhook_deliveries, delivery_id, kind=_DeliveryState, what="webhook delivery", lock=True)
    _check_enabled(scope, before.endpoint_id)
    if before.status != DeliveryStatus.PENDING:
        check_move(
            DELIVERY_MOVES, now=DeliveryStatus(before.status), to=DeliveryStatus.PENDING, what="webhook delivery"
        )
    scope.session.execute(_REPLAY, {"tenant_id": scope.tenant_id, "id": delivery_id})
    scope.send(QUEUE, [{"delivery_id": str(delivery_id)}])
    audit.record(
        scope,
        action="webhook_delivery.replayed",
        entity_type="webhook_delivery",
        entity_id=delivery_id,
        before={"status": before.status},
        after={"status": DeliveryStatus.PENDING},
    )
    return queries.get_delivery(scope, delivery_id)


def delete_old_events(*, now: datetime) -> int:
    """Delete events that are a month old, of every tenant, with their deliveries, and count them."""
    with transaction(role="wagebook_sweeper") as session:
        return session.execute(
            text("delete from webhook_events where created_at < :old"), {"old": now - rules.KEPT_FOR}
        ).rowcount


def _body(scope: Scope, event_type: str, data: Mapping[str, Any]) -> str:
    payload = {"type": event_type, "timestamp": scope.now.isoformat(), "data": data}
    return json.dumps(payload, separators=(",", ":"))


def _check_enabled(scope: Scope, endpoint_id: UUID) -> None:
    if not queries.get_endpoint(scope, endpoint_id).enabled:
        raise Conflict("This webhook endpoint is disabled; enable it first.")
