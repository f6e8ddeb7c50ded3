"""Who changed what, written in the same transaction as the change and chained by hash."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import enter_tenant
from chalicelib.identity.scope import PlatformScope, Scope

_APPEND = text("""
    insert into audit_logs (tenant_id, at, actor, actor_ids, user_id, action, entity_type, entity_id, before,
                            after, ip, agent, request_id)
    values (:tenant_id, :at, :actor, cast(:actor_ids as uuid[]), :user_id, :action, :entity_type, :entity_id,
            cast(:before as jsonb), cast(:after as jsonb), :ip, :agent, :request_id)""")


def record(
    scope: Scope | PlatformScope,
    *,
    action: str,
    entity_type: str,
    entity_id: object,
    before: object = None,
    after: object = None,
    tenant_id: UUID | None = None,
) -> None:
    """Append one row to the tenant's audit chain, just before the commit.

    `before` and `after` are what changed, as anything that JSON can say (dates, ids and decimals as strings). The
    chain's head is locked from the append to the commit, so it is the last thing a transaction does. What the platform
    does to a tenant names the `tenant_id`, whose chain it enters.
    """
    row: dict[str, Any] = {
        "tenant_id": tenant_id or scope.tenant_id,  # type: ignore[union-attr]  # the platform always names one
        "at": scope.now,
        "actor": f"{scope.actor.role}:{scope.actor.name}",
        "actor_ids": sorted(scope.actor.all_ids) or None,
        "user_id": scope.actor.user_id,
        "action": action,
        "entity_type": entity_type,
        "entity_id": str(entity_id),
        "before": None if before is None else json.dumps(before, default=str),
        "after": None if after is None else json.dumps(after, default=str),
        "ip": scope.origin.ip,
        "agent": scope.origin.agent,
        "request_id": scope.origin.request_id,
    }
    scope.at_commit.append(lambda: _append(scope, row))


def _append(scope: Scope | PlatformScope, row: dict[str, Any]) -> None:
    if isinstance(scope, PlatformScope):
        enter_tenant(scope.session, row["tenant_id"])
    scope.session.execute(_APPEND, row)
