"""Writes of webhook endpoints."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from chalicelib import audit
from chalicelib.backing import outside, vault
from chalicelib.backing.database import Record
from chalicelib.entry.versions import check_version
from chalicelib.features.webhooks import queries, rules
from chalicelib.features.webhooks.models import webhook_endpoints
from chalicelib.features.webhooks.schemas import NewEndpoint
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid

_TOLD = ("url", "events", "description", "enabled")


def add_endpoint(scope: Scope, *, new: NewEndpoint) -> Record:
    """Make an endpoint and show its secret this once."""
    _check_host(new.url)
    scope.advisory_lock("webhook-endpoints")  # two at once would both see room for one
    if queries.count_endpoints(scope) >= rules.MOST_ENDPOINTS:
        raise Conflict(f"There are {rules.MOST_ENDPOINTS} webhook endpoints already; delete one first.")
    # the id comes first, because the seal is bound to it
    endpoint_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    secret = rules.new_secret()
    sealed = _sealed(scope, endpoint_id, secret)
    values = {"url": new.url, "events": _listed(new.events), "description": new.description}
    row = (
        scope.session.execute(
            insert(webhook_endpoints)
            .values(
                tenant_id=scope.tenant_id,
                id=endpoint_id,
                secret_sealed=sealed.data,
                secret_key_id=sealed.key_id,
                created_at=scope.now,
                **values,
            )
            .returning(webhook_endpoints)
        )
        .mappings()
        .one()
    )
    audit.record(
        scope, action="webhook_endpoint.added", entity_type="webhook_endpoint", entity_id=endpoint_id, after=values
    )
    return {**queries.shown(scope, dict(row)), "secret": secret}


def change_endpoint(scope: Scope, *, endpoint_id: UUID, given: dict[str, Any], if_match: int | None) -> Record:
    """Change an endpoint; one that is enabled again begins without its failures."""
    if "url" in given:
        _check_host(given["url"])
    before = queries.get_endpoint(scope, endpoint_id, lock=True)
    check_version(before, if_match)
    said = {**given, "events": _listed(given["events"])} if "events" in given else given
    changes = {name: value for name, value in said.items() if before[name] != value}
    if not changes:
        return queries.shown(scope, before)
    if changes.get("enabled"):
        changes |= {"failing_since": None, "disabled_because": None}
    row = _update(scope, endpoint_id, changes)
    audit.record(
        scope,
        action="webhook_endpoint.changed",
        entity_type="webhook_endpoint",
        entity_id=endpoint_id,
        before={name: before[name] for name in changes},
        after=changes,
    )
    return queries.shown(scope, row)


def rotate_secret(scope: Scope, *, endpoint_id: UUID) -> Record:
    """Return an endpoint a new secret and show it this once; the one before signs too for a day.

    Done twice within a day, only the latest two count.
    """
    before = queries.get_endpoint(scope, endpoint_id, lock=True)
    secret = rules.new_secret()
    sealed = _sealed(scope, endpoint_id, secret)
    until = scope.now + rules.OVERLAP
    row = _update(
        scope,
        endpoint_id,
        {
            "secret_sealed": sealed.data,
            "secret_key_id": sealed.key_id,
            "old_secret_sealed": before["secret_sealed"],
            "old_secret_key_id": before["secret_key_id"],
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
    return {**queries.shown(scope, row), "secret": secret}


def delete_endpoint(scope: Scope, *, endpoint_id: UUID) -> None:
    """End an endpoint and its log; what it was stays in the audit."""
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
        before={name: before[name] for name in _TOLD},
    )


def note_health(scope: Scope, *, endpoint_id: UUID, works: bool, gone: bool) -> None:
    """Note whether an endpoint took a delivery, and disable one that says it is gone or failed for days."""
    row = queries.get_endpoint(scope, endpoint_id)
    if works:
        if row["failing_since"] is not None:
            _set(scope, endpoint_id, {"failing_since": None})
        return
    since = row["failing_since"]
    if since is None:
        _set(scope, endpoint_id, {"failing_since": scope.now})
    if gone:
        _disable(scope, endpoint_id, why="it answered 410 Gone")
    elif since is not None and scope.now - since > rules.PATIENCE:
        _disable(scope, endpoint_id, why=f"it failed for {_days(rules.PATIENCE)} days")


def _disable(scope: Scope, endpoint_id: UUID, *, why: str) -> None:
    before = queries.get_endpoint(scope, endpoint_id, lock=True)
    if not before["enabled"]:
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


def _set(scope: Scope, endpoint_id: UUID, values: dict[str, Any]) -> None:
    """Note something that nobody edits, so the version stays."""
    scope.session.execute(
        update(webhook_endpoints)
        .where(webhook_endpoints.c.tenant_id == scope.tenant_id, webhook_endpoints.c.id == endpoint_id)
        .values(**values)
    )


def _update(scope: Scope, endpoint_id: UUID, values: dict[str, Any]) -> Record:
    row = (
        scope.session.execute(
            update(webhook_endpoints)
            .where(webhook_endpoints.c.tenant_id == scope.tenant_id, webhook_endpoints.c.id == endpoint_id)
            .values(**values, version=webhook_endpoints.c.version + 1)
            .returning(webhook_endpoints)
        )
        .mappings()
        .one()
    )
    return dict(row)


def _check_host(url: str) -> None:
    try:
        outside.resolve_public_addresses(outside.parse_target(url))
    except outside.CallRefused as refusal:
        raise invalid("/url", str(refusal)) from None


def _sealed(scope: Scope, endpoint_id: UUID, secret: str) -> vault.EncryptedValue:
    return vault.encrypt(
        scope.session, secret.encode(), tenant_id=scope.tenant_id, table=webhook_endpoints.name, row_id=endpoint_id
    )


def _listed(events: Any) -> list[str] | None:
    return None if events == "all" else [str(event) for event in events]


def _days(time: timedelta) -> int:
    return time.days
