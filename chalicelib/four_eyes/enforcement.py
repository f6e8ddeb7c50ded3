"""Whether four eyes are required: always, unless a tenant of one person switched them off."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from chalicelib.identity.permissions import GRANTS, TENANT_ROLES
from chalicelib.identity.scope import Scope

APPROVES = ("payroll.approve", "payouts.decide")
_APPROVERS = [role.value for role in TENANT_ROLES if any(permission in GRANTS[role] for permission in APPROVES)]

# Another person than the caller, under whichever member or key; for a job, which is nobody, a second one.
_OTHERS = text("""
    with approvers as (
        select hands_of(m.tenant_id, array[m.id, m.user_id]) as hands from members m
        where m.tenant_id = :tenant_id and m.status = 'active' and m.role = any(:roles)
        union all
        select hands_of(k.tenant_id, array[k.id, k.user_id] || k.made_by_ids) from api_keys k
        where k.tenant_id = :tenant_id and k.revoked_at is null and k.role = any(:roles)
    ), one as (
        select case when cardinality(cast(:hands as uuid[])) > 0 then cast(:hands as uuid[])
            else (select hands from approvers limit 1) end as hands
    )
    select exists (select from approvers a, one where not a.hands && one.hands)""")


_PEOPLE = text("""
    select u.id from users u where u.tenant_id = :tenant_id and u.id in (
        select unnest(hands_of(m.tenant_id, array[m.id, m.user_id])) from members m
        where m.tenant_id = :tenant_id and m.status = 'active' and m.role = any(:roles)
        union
        select unnest(hands_of(k.tenant_id, array[k.id, k.user_id] || k.made_by_ids)) from api_keys k
        where k.tenant_id = :tenant_id and k.revoked_at is null and k.role = any(:roles))
    order by u.id""")


def has_other_approver(scope: Scope) -> bool:
    """Tell whether somebody else than the caller is active and may approve runs or payouts."""
    values = {"tenant_id": scope.tenant_id, "roles": _APPROVERS, "hands": sorted(scope.actor.all_ids)}
    return bool(scope.session.execute(_OTHERS, values).scalar_one())


def people_who_may(scope: Scope, permissions: Iterable[str]) -> list[UUID]:
    """Return the people behind active members and keys that have any of some permissions."""
    roles = [role.value for role in TENANT_ROLES if any(one in GRANTS[role] for one in permissions)]
    rows = scope.session.execute(_PEOPLE, {"tenant_id": scope.tenant_id, "roles": roles})
    return list(rows.scalars())


def is_enforced(scope: Scope) -> bool:
    """Tell whether four eyes are required of the caller now.

    Switching them off holds only as long as nobody else can approve: with the second approver they are back, without
    anybody having to remember the switch.
    """
    return scope.tenant.policy.four_eyes or has_other_approver(scope)
