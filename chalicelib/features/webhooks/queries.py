"""Reads of webhooks: endpoints without their secrets, and the log of deliveries."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from chalicelib.backing import rows, vault
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, RowPage, decode_cursor, encode_cursor, page_rows
from chalicelib.features.webhooks import schemas
from chalicelib.features.webhooks.models import webhook_attempts, webhook_deliveries, webhook_endpoints, webhook_events
from chalicelib.features.webhooks.rules import DeliveryStatus
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint with its encrypted secrets; `events` None: all, also those that are added later."""

    id: UUID
    url: str
    events: list[str] | None
    description: str | None
    enabled: bool
    disabled_because: str | None
    failing_since: datetime | None
    secret_sealed: bytes = field(repr=False)
    secret_key_id: UUID
    old_secret_sealed: bytes | None = field(repr=False)
    old_secret_key_id: UUID | None
    old_secret_until: datetime | None
    created_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as the log lists it, with its event's type and body."""

    id: UUID
    event_id: UUID
    endpoint_id: UUID
    type: str
    body: str
    status: DeliveryStatus
    attempts_made: int
    next_attempt_at: datetime | None
    problem: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt at a delivery."""

    number: int
    at: datetime
    status_code: int | None
    ms: int | None
    response: str | None
    problem: str | None


def page_of_endpoints(scope: Scope, query: PageQuery) -> RowPage[schemas.Endpoint]:
    """Read one page of endpoints, oldest first."""
    endpoints = select(webhook_endpoints).where(webhook_endpoints.c.tenant_id == scope.tenant_id)
    page = page_rows(scope, endpoints, kind=EndpointRow, key=webhook_endpoints.c.id, query=query)
    return page.map(partial(to_reply, scope))


def get_endpoint(scope: Scope, endpoint_id: UUID, *, lock: bool = False) -> EndpointRow:
    """Read one endpoint of the tenant, or raise NotFound."""
    return get_row(scope, webhook_endpoints, endpoint_id, kind=EndpointRow, what="webhook endpoint", lock=lock)


def to_reply(scope: Scope, row: EndpointRow) -> schemas.Endpoint:
    """Return an endpoint as callers see it: never its secrets."""
    until = row.old_secret_until
    return schemas.Endpoint(
        id=row.id,
        url=row.url,
        events=row.events or "all",
        description=row.description,
        enabled=row.enabled,
        disabled_because=row.disabled_because,
        failing_since=row.failing_since,
        old_secret_until=until if until and until > scope.now else None,
        created_at=row.created_at,
        version=row.version,
    )


def count_endpoints(scope: Scope) -> int:
    """Count the tenant's endpoints."""
    endpoints = (
        select(func.count()).select_from(webhook_endpoints).where(webhook_endpoints.c.tenant_id == scope.tenant_id)
    )
    return int(scope.session.execute(endpoints).scalar_one())


def decrypt_secrets(scope: Scope, row: EndpointRow) -> list[str]:
    """Decrypt the secrets that sign for an endpoint now, the newest first. For signing only.

    Raises vault.Undecryptable where the row was tampered with, Busy while KMS is away.
    """
    encrypted = [vault.EncryptedValue(row.secret_key_id, bytes(row.secret_sealed))]
    if row.old_secret_key_id and row.old_secret_sealed and row.old_secret_until and row.old_secret_until > scope.now:
        encrypted.append(vault.EncryptedValue(row.old_secret_key_id, bytes(row.old_secret_sealed)))
    return [
        vault.decrypt(
            scope.session, secret, tenant_id=scope.tenant_id, table=webhook_endpoints.name, row_id=row.id
        ).decode()
        for secret in encrypted
    ]


def page_of_deliveries(scope: Scope, query: schemas.DeliveryQuery) -> RowPage[DeliveryRow]:
    """Read one page of the log, newest first, so its pages go down from a key."""
    deliveries = _deliveries(scope)
    if query.endpoint_id is not None:
        get_endpoint(scope, query.endpoint_id)
        deliveries = deliveries.where(webhook_deliveries.c.endpoint_id == query.endpoint_id)
    if query.status is not None:
        deliveries = deliveries.where(webhook_deliveries.c.status == query.status)
    if query.cursor:
        deliveries = deliveries.where(webhook_deliveries.c.id < decode_cursor(query.cursor, UUID))
    deliveries = deliveries.order_by(webhook_deliveries.c.id.desc()).limit(query.limit + 1)
    with_next = rows.every(DeliveryRow, scope.session.execute(deliveries))
    items = with_next[: query.limit]
    return RowPage(items, encode_cursor(items[-1].id) if len(with_next) > query.limit else None)


def get_delivery(scope: Scope, delivery_id: UUID) -> schemas.WholeDelivery:
    """Read one delivery with its payload and how each attempt went, or raise NotFound."""
    row = rows.first(
        DeliveryRow, scope.session.execute(_deliveries(scope).where(webhook_deliveries.c.id == delivery_id))
    )
    if row is None:
        raise NotFound("There is no such webhook delivery.")
    attempts = rows.every(
        AttemptRow,
        scope.session.execute(
            select(webhook_attempts)
            .where(webhook_attempts.c.tenant_id == scope.tenant_id, webhook_attempts.c.delivery_id == delivery_id)
            .order_by(webhook_attempts.c.number)
        ),
    )
    return schemas.WholeDelivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        type=row.type,
        status=row.status,
        attempts_made=row.attempts_made,
        next_attempt_at=row.next_attempt_at,
        problem=row.problem,
        created_at=row.created_at,
        settled_at=row.settled_at,
        payload=json.loads(row.body),
        attempts=[schemas.DeliveryAttempt.model_validate(attempt) for attempt in attempts],
    )


def _deliveries(scope: Scope) -> Select[Any]:
    """Select deliveries with their event; its rows are DeliveryRow."""
    return (
        select(
            webhook_deliveries,
            webhook_deliveries.c.attempts.label("attempts_made"),
            webhook_deliveries.c.look_at.label("next_attempt_at"),
            webhook_events.c.type,
            webhook_events.c.body,
        )
        .join(
            webhook_events,
            (webhook_events.c.tenant_id == webhook_deliveries.c.tenant_id)
            & (webhook_events.c.id == webhook_deliveries.c.event_id),
        )
        .where(webhook_deliveries.c.tenant_id == scope.tenant_id)
    )
