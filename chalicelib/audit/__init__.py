"""The audit log: who changed what, written in the transaction of the change, its rows chained by hash.

`record` is called where something changes; the row is appended at the end of the transaction, as the tenant's chain is
locked from then on. The database computes the hashes; the check `audit` of the operators' CLI verifies them.
"""

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

    `before` and `after` are what changed, as JSON (dates, ids and decimals as strings). Appending locks the head of
    the chain until the commit, so it is the last thing that a transaction does. A platform admin's change of a tenant
    passes its `tenant_id`, and is in that tenant's chain.
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
