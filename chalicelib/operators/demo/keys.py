"""The demo's API keys: one per role, and a second admin. A key cannot be shown twice, so each load replaces them."""

from uuid import UUID

from sqlalchemy import delete

from chalicelib import audit
from chalicelib.features.tenants import actions
from chalicelib.features.tenants.schemas import NewApiKey, TenantRole
from chalicelib.identity.models import api_keys
from chalicelib.identity.permissions import Role
from chalicelib.operators import scopes
from chalicelib.operators.access import make_platform_key
from chalicelib.operators.demo.rows import id_of

# Key -> its role and employee. There are two admins, as nobody approves what they took part in (four eyes).
HOLDERS: dict[str, tuple[TenantRole, str]] = {
    "tenant_admin": (Role.TENANT_ADMIN, "A001"),
    "second_admin": (Role.TENANT_ADMIN, "A010"),
    "hr": (Role.HR, "A002"),
    "manager": (Role.MANAGER, "A003"),
    "employee": (Role.EMPLOYEE, "A004"),
}


def replace(tenant_id: UUID) -> dict[str, str]:
    """End the demo's earlier keys and give a fresh one per holder."""
    created: dict[str, str] = {}
    with scopes.operating(tenant_id) as scope:
        for holder, (role, number) in HOLDERS.items():
            name = f"demo {holder}"
            revoked = scope.session.execute(
                delete(api_keys)
                .where(api_keys.c.tenant_id == tenant_id, api_keys.c.name == name)
                .returning(api_keys.c.id)
            )
            for key_id in revoked.scalars():
                audit.record(scope, action="api_key.revoked", entity_type="api_key", entity_id=key_id)
            new = NewApiKey(name=name, role=role, user_id=id_of(scope, "user", number))
            created[holder] = actions.make_api_key(scope, new=new).key
    created[Role.PLATFORM_ADMIN.value] = make_platform_key("demo platform_admin", replace=True)
    return created
