"""Whether four eyes are required: always, unless a tenant of one person switched them off."""

from sqlalchemy import text

from chalicelib.identity.permissions import GRANTS, TENANT_ROLES
from chalicelib.identity.scope import Scope

APPROVES = ("payroll.approve", "payouts.decide")
_APPROVERS = [role.value for role in TENANT_ROLES if any(permission in GRANTS[role] for permission in APPROVES)]

# Another person than the caller, under whichever member or key. For a job, which is nobody, any approver is another.
_OTHERS = text("""
    select exists (
        select from members m
        where m.tenant_id = :tenant_id and m.status = 'active' and m.role = any(:roles)
          and not hands_of(m.tenant_id, array[m.id, m.user_id]) && cast(:hands as uuid[])
        union all
        select from api_keys k
        where k.tenant_id = :tenant_id and k.revoked_at is null and k.role = any(:roles)
          and not hands_of(k.tenant_id, array[k.id, k.user_id] || k.made_by_ids) && cast(:hands as uuid[]))""")


def has_other_approver(scope: Scope) -> bool:
    """Tell whether somebody else than the caller is active and may approve runs or payouts."""
    values = {"tenant_id": scope.tenant_id, "roles": _APPROVERS, "hands": sorted(scope.actor.hands)}
    return bool(scope.session.execute(_OTHERS, values).scalar_one())


def is_enforced(scope: Scope) -> bool:
    """Tell whether four eyes are required of the caller now.

    Switching them off holds only as long as nobody else can approve: with the second approver they are back, without
    anybody having to remember the switch.
    """
    return scope.tenant.policy.four_eyes or has_other_approver(scope)
