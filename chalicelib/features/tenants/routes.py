"""HTTP endpoints of tenants and access."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.tenants import actions, queries, schemas
from chalicelib.identity.scope import PlatformScope, Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/me", may="me.read")
def get_me(scope: Scope | PlatformScope) -> schemas.Me:
    """Say who you are here, and what you may do."""
    return schemas.Me(
        name=scope.actor.name,
        role=scope.actor.role,
        user_id=scope.actor.user_id,
        tenant=scope.tenant.slug if isinstance(scope, Scope) else None,
        permissions=dict(scope.grants),
    )


@endpoint(blueprint, "GET", "/tenant", may="tenant.read", reply=schemas.TenantSettings)
def get_tenant(scope: Scope) -> queries.TenantRow:
    """Read the tenant's settings and pay policy."""
    return queries.get_settings(scope)


@endpoint(blueprint, "PATCH", "/tenant", may="tenant.write", reply=schemas.TenantSettings)
def change_tenant(scope: Scope, body: schemas.TenantPatch, if_match: int | None) -> queries.TenantRow:
    """Change settings and switches of the pay policy, only those that are sent."""
    return actions.change_settings(scope, patch=body.sent_fields(), if_match=if_match)


@endpoint(blueprint, "GET", "/members", may="access.read", reply=Page[schemas.Member])
def list_members(scope: Scope, query: PageQuery) -> RowPage[queries.MemberRow]:
    """List who may sign in."""
    return queries.page_of_members(scope, query)


@endpoint(blueprint, "POST", "/members", may="access.write", status=201, reply=schemas.Member)
def add_member(scope: Scope, body: schemas.NewMember) -> queries.MemberRow:
    """Let somebody sign in with a verified address."""
    return actions.add_member(scope, new=body)


@endpoint(blueprint, "PATCH", "/members/{member_id}", may="access.write", reply=schemas.Member)
def change_member(scope: Scope, member_id: UUID, body: schemas.MemberPatch, if_match: int | None) -> queries.MemberRow:
    """Change a member's role, or shut them out."""
    return actions.change_member(scope, member_id=member_id, patch=body.sent_fields(), if_match=if_match)


@endpoint(blueprint, "GET", "/api-keys", may="access.read", reply=Page[schemas.ApiKey])
def list_api_keys(scope: Scope, query: PageQuery) -> RowPage[queries.ApiKeyRow]:
    """List keys, without their secrets."""
    return queries.page_of_api_keys(scope, query)


@endpoint(blueprint, "POST", "/api-keys", may="access.write", status=201, shown_once=("key",), reply=schemas.MadeApiKey)
def make_api_key(scope: Scope, body: schemas.NewApiKey) -> actions.NewApiKeyRow:
    """Make a key and show it this once."""
    return actions.make_api_key(scope, new=body)


@endpoint(blueprint, "DELETE", "/api-keys/{key_id}", may="access.write", status=204)
def revoke_api_key(scope: Scope, key_id: UUID) -> None:
    """End a key at once."""
    actions.revoke_api_key(scope, key_id=key_id)


@endpoint(blueprint, "GET", "/tenants", may="platform.tenants", reply=Page[schemas.PlatformTenant])
def list_tenants(scope: PlatformScope, query: PageQuery) -> RowPage[queries.TenantRow]:
    """List all tenants; nothing of theirs."""
    return queries.page_of_tenants(scope, query)


@endpoint(blueprint, "POST", "/tenants", may="platform.tenants", status=201, reply=schemas.PlatformTenant)
def make_tenant(scope: PlatformScope, body: schemas.NewTenant) -> queries.TenantRow:
    """Make a tenant, and its first admin where an address is given."""
    return actions.make_tenant(scope, new=body)


@endpoint(blueprint, "GET", "/tenants/{tenant_id}", may="platform.tenants", reply=schemas.PlatformTenant)
def get_platform_tenant(scope: PlatformScope, tenant_id: UUID) -> queries.TenantRow:
    """Read one tenant's row."""
    return queries.get_platform_tenant(scope, tenant_id)


@endpoint(blueprint, "PATCH", "/tenants/{tenant_id}", may="platform.tenants", reply=schemas.PlatformTenant)
def change_platform_tenant(
    scope: PlatformScope, tenant_id: UUID, body: schemas.PlatformTenantPatch, if_match: int | None
) -> queries.TenantRow:
    """Rename, suspend or restore a tenant, or bound how many requests it may make in a minute."""
    return actions.change_tenant(scope, tenant_id=tenant_id, patch=body.sent_fields(), if_match=if_match)
