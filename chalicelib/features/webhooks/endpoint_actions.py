"""Writes of webhook endpoints: their addresses, their secrets, and whether they are enabled."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from chalicelib import audit
from chalicelib.backing import outside, rows, vault
from chalicelib.entry.versions import check_version
from chalicelib.features.webhooks import queries, rules
from chalicelib.features.webhooks.models import webhook_endpoints
from chalicelib.features.webhooks.queries import EndpointRow
from chalicelib.features.webhooks.schemas import Endpoint, EndpointWithSecret, NewEndpoint
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid

_AUDITED = ("url", "events", "description", "enabled")


def add_endpoint(scope: Scope, *, new: NewEndpoint) -> EndpointWithSecret:
    """Add an endpoint; its reply is the only one that shows the secret."""
    _check_host(new.url)
    scope.advisory_lock("webhook-endpoints")  # two at once would both see room for one
    if queries.count_endpoints(scope) >= rules.MOST_ENDPOINTS:
        raise Conflict(f"There are {rules.MOST_ENDPOINTS} webhook endpoints already; delete one first.")
    # the id comes first, because the encryption is bound to it (associated data)
    endpoint_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    secret = rules.new_secret()
    encrypted = _encrypt(scope, endpoint_id, secret)
    values = {"url": new.url, "events": _to_stored(new.events), "description": new.description}
    row = rows.one(
        EndpointRow,
        scope.session.execute(
            insert(webhook_endpoints)
            .values(
                tenant_id=scope.tenant_id,
                id=endpoint_id,
                secret_sealed=encrypted.data,
                secret_key_id=encrypted.key_id,
                created_at=scope.now,
                **values,
            )
            .returning(webhook_endpoints)
        ),
    )
    audit.record(
        scope, action="webhook_endpoint.added", entity_type="webhook_endpoint", entity_id=endpoint_id, after=values
    )
    return _with_secret(scope, row, secret)


def change_endpoint(scope: Scope, *, endpoint_id: UUID, patch: dict[str, Any], if_match: int | None) -> Endpoint:
    """Change an endpoint; one that is enabled again begins without its failures."""
    if "url" in patch:
        _check_host(patch["url"])
    before = queries.get_endpoint(scope, endpoint_id, lock=True)
    check_version({"version": before.version}, if_match)
    requested = {**patch, "events": _to_stored(patch["events"])} if "events" in patch else patch
    changes = {name: value for name, value in requested.items() if getattr(before, name) != value}
    if not changes:
        return queries.to_reply(scope, before)
    if changes.get("enabled"):
        changes |= {"failing_since": None, "disabled_because": None}
    row = _update(scope, endpoint_id, changes)
    audit.record(
        scope,
        action="webhook_endpoint.changed",
        entity_type="webhook_endpoint",
        entity_id=endpoint_id,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return queries.to_reply(scope, row)


def rotate_secret(scope: Scope, *, endpoint_id: UUID) -> EndpointWithSecret:
    """Give an endpoint a new secret, which only this reply shows; the one before signs, too, for a day.

    Done twice within a day, only the latest two count.
    """
    before = queries.get_endpoint(scope, endpoint_id, lock=True)
    secret = rules.new_secret()
    encrypted = _encrypt(scope, endpoint_id, secret)
    until = scope.now + rules.OVERLAP
    row = _update(
        scope,
        endpoint_id,
        {
            "secret_sealed": encrypted.data,
            "secret_key_id": encrypted.key_id,
            "old_secret_sealed": before.secret_sealed,
            "old_secret_key_id": before.secret_key_id,
            "old_secret_until": until,
        },
    )
    audit.record(
        scope,
        action="webhook_endpoint.secret_rotated",
        entity_type="webhook_endpoint",
        entity_id=endpoint_id,
        after={"old_secret_until": until},
    )
    return _with_secret(scope, row, secret)


def delete_endpoint(scope: Scope, *, endpoint_id: UUID) -> None:
    """Delete an endpoint and its log; what it was stays in the audit."""
    before = queries.get_endpoint(scope, endpoint_id, lock=True)
    scope.session.execute(
        delete(webhook_endpoints).where(
            webhook_endpoints.c.tenant_id == scope.tenant_id, webhook_endpoints.c.id == endpoint_id
        )
    )
    audit.record(
        scope,
        action="webhook_endpoint.deleted",
        entity_type="webhook_endpoint",
        entity_id=endpoint_id,
        before={name: getattr(before, name) for name in _AUDITED},
    )


def note_health(scope: Scope, *, endpoint_id: UUID, works: bool, gone: bool) -> None:
    """Note whether an endpoint took a delivery, and disable one that says it is gone or failed for days."""
    failing_since = queries.get_endpoint(scope, endpoint_id).failing_since
    if works:
        if failing_since is not None:
            _write_failing_since(scope, endpoint_id, None)
        return
    if failing_since is None:
        _write_failing_since(scope, endpoint_id, scope.now)
    if gone:
        _disable(scope, endpoint_id, why="it answered 410 Gone")
    elif failing_since is not None and scope.now - failing_since > rules.DISABLE_AFTER:
        _disable(scope, endpoint_id, why=f"it failed for {rules.DISABLE_AFTER.days} days")


def _disable(scope: Scope, endpoint_id: UUID, *, why: str) -> None:
    before = queries.get_endpoint(scope, endpoint_id, lock=True)
    if not before.enabled:
        return
    _update(scope, endpoint_id, {"enabled": False, "disabled_because": why})
    audit.record(
        scope,
        action="webhook_endpoint.disabled",
        entity_type="webhook_endpoint",
        entity_id=endpoint_id,
        before={"enabled": True},
        after={"enabled": False, "disabled_because": why},
    )


def _write_failing_since(scope: Scope, endpoint_id: UUID, failing_since: datetime | None) -> None:
    """Write since when an endpoint fails; nobody edits that, so the version stays."""
    scope.session.execute(
        update(webhook_endpoints)
        .where(webhook_endpoints.c.tenant_id == scope.tenant_id, webhook_endpoints.c.id == endpoint_id)
        .values(failing_since=failing_since)
    )


def _update(scope: Scope, endpoint_id: UUID, values: dict[str, Any]) -> EndpointRow:
    """Update an endpoint, whose version goes up."""
    return rows.one(
        EndpointRow,
        scope.session.execute(
            update(webhook_endpoints)
            .where(webhook_endpoints.c.tenant_id == scope.tenant_id, webhook_endpoints.c.id == endpoint_id)
            .values(**values, version=webhook_endpoints.c.version + 1)
            .returning(webhook_endpoints)
        ),
    )


def _with_secret(scope: Scope, row: EndpointRow, secret: str) -> EndpointWithSecret:
    return EndpointWithSecret(**dict(queries.to_reply(scope, row)), secret=secret)


def _check_host(url: str) -> None:
    """Refuse an address that is not of the public internet (SSRF); each call checks it again (DNS rebinding)."""
    try:
        outside.resolve_public_addresses(outside.parse_target(url))
    except outside.CallRefused as refusal:
        raise invalid("/url", str(refusal)) from None


def _encrypt(scope: Scope, endpoint_id: UUID, secret: str) -> vault.EncryptedValue:
    return vault.encrypt(
        scope.session, secret.encode(), tenant_id=scope.tenant_id, table=webhook_endpoints.name, row_id=endpoint_id
    )


def _to_stored(events: Any) -> list[str] | None:
    return None if events == "all" else [str(event) for event in events]
