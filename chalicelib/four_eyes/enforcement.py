"""Whether four eyes are required: always, unless a tenant of one person switched them off."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.identity.permissions import GRANTS, TENANT_ROLES
from chalicelib.identity.scope import Scope

APPROVES = ("payroll.approve", "payouts.decide")
_APPROVERS = [role.value for role in TENANT_ROLES if any(permission in GRANTS[role] for permission in APPROVES)]

_HAS_OTHER_APPROVER = text(statement(__file__, "has_other_approver"))
_EMPLOYEES_WITH_ROLES = text(statement(__file__, "employees_with_roles"))


def has_other_approver(scope: Scope) -> bool:
    """Return whether another active person than the caller may approve runs or payouts."""
    values = {"tenant_id": scope.tenant_id, "roles": _APPROVERS, "all_ids": sorted(scope.actor.all_ids)}
    return bool(scope.session.execute(_HAS_OTHER_APPROVER, values).scalar_one())


def people_who_may(scope: Scope, permissions: Iterable[str]) -> list[UUID]:
    """Return the employees behind active members and keys that have any of these permissions."""
    roles = [role.value for role in TENANT_ROLES if any(one in GRANTS[role] for one in permissions)]
    rows = scope.session.execute(_EMPLOYEES_WITH_ROLES, {"tenant_id": scope.tenant_id, "roles": roles})
    return list(rows.scalars())


def is_enforced(scope: Scope) -> bool:
    """Return whether four eyes are required of the caller now.

    A tenant's switch to do without counts only while nobody else can approve. With a second approver four eyes are
    required again, without a change of the setting.
    """
    return scope.tenant.policy.four_eyes or has_other_approver(scope)
