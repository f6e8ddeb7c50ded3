"""Reads of webhooks."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from chalicelib.backing import vault
from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, decode_cursor, encode_cursor, page_of
from chalicelib.features.webhooks.models import webhook_attempts, webhook_deliveries, webhook_endpoints, webhook_events
from chalicelib.features.webhooks.schemas import DeliveryQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound


def page_of_endpoints(scope: Scope, query: PageQuery) -> Record:
    """Read one page of endpoints, oldest first."""
    rows = select(webhook_endpoints).where(webhook_endpoints.c.tenant_id == scope.tenant_id)
    found = page_of(scope, rows, key=webhook_endpoints.c.id, query=query)
    return {**found, "items": [shown(scope, row) for row in found["items"]]}


def get_endpoint(scope: Scope, endpoint_id: UUID, *, lock: bool = False) -> Record:
    """Read one endpoint of the tenant, or NotFound."""
    return get_row(scope, webhook_endpoints, endpoint_id, what="webhook endpoint", lock=lock)


def shown(scope: Scope, row: Record) -> Record:
    """Return an endpoint as it may be told: never its secrets."""
    hidden = {name for name in row if "secret" in name}
    until: datetime | None = row["old_secret_until"]
    return {
        **{name: value for name, value in row.items() if name not in hidden},
        "events": row["events"] or "all",
        "old_secret_until": until if until and until > scope.now else None,
    }


def count_endpoints(scope: Scope) -> int:
    """Count the tenant's endpoints."""
    rows = select(func.count()).select_from(webhook_endpoints).where(webhook_endpoints.c.tenant_id == scope.tenant_id)
    return int(scope.session.execute(rows).scalar_one())


def open_secrets(scope: Scope, row: Record) -> list[str]:
    """Decrypt the secrets that sign for an endpoint now, the newest first. For signing only.

    vault.Undecryptable where the row was tampered with, Busy while KMS is away.
    """
    sealed = [vault.EncryptedValue(row["secret_key_id"], bytes(row["secret_sealed"]))]
    if row["old_secret_until"] is not None and row["old_secret_until"] > scope.now:
        sealed.append(vault.EncryptedValue(row["old_secret_key_id"], bytes(row["old_secret_sealed"])))
    return [
        vault.decrypt(
            scope.session, one, tenant_id=scope.tenant_id, table=webhook_endpoints.name, row_id=row["id"]
        ).decode()
        for one in sealed
    ]


def page_of_deliveries(scope: Scope, query: DeliveryQuery) -> Record:
    """Read one page of the log, newest first, so its pages go down from a key."""
    rows = _deliveries(scope)
    if query.endpoint_id is not None:
        get_endpoint(scope, query.endpoint_id)
        rows = rows.where(webhook_deliveries.c.endpoint_id == query.endpoint_id)
    if query.status is not None:
        rows = rows.where(webhook_deliveries.c.status == query.status)
    if query.cursor:
        rows = rows.where(webhook_deliveries.c.id < decode_cursor(query.cursor, UUID))
    rows = rows.order_by(webhook_deliveries.c.id.desc()).limit(query.limit + 1)
    found = scope.session.execute(rows).mappings().all()
    items = [dict(row) for row in found[: query.limit]]
    return {"items": items, "next_cursor": encode_cursor(items[-1]["id"]) if len(found) > query.limit else None}


def get_delivery(scope: Scope, delivery_id: UUID) -> Record:
    """Read one delivery with what it says and how each attempt went, or NotFound."""
    rows = _deliveries(scope).where(webhook_deliveries.c.id == delivery_id)
    row = scope.session.execute(rows).mappings().first()
    if row is None:
        raise NotFound("There is no such webhook delivery.")
    attempts = scope.session.execute(
        select(webhook_attempts)
        .where(webhook_attempts.c.tenant_id == scope.tenant_id, webhook_attempts.c.delivery_id == delivery_id)
        .order_by(webhook_attempts.c.number)
    ).mappings()
    return {**row, "payload": json.loads(row["body"]), "attempts": [dict(one) for one in attempts]}


def _deliveries(scope: Scope) -> Select[Any]:
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
