"""Reads of tenants, members and API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import rows
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.identity.models import api_keys, members, tenants
from chalicelib.identity.scope import PlatformScope, Scope
from chalicelib.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant's row: what its admins see and what the platform sees."""

    id: UUID
    slug: str
    name: str
    currency: str
    timezone: str
    weekend: list[int]
    week_start: int
    cycle_start_day: int
    policy: Mapping[str, Any]  # only the switches that differ from the defaults
    branding: Mapping[str, Any]
    status: str
    suspended_because: str | None
    cell: str
    requests_per_minute: int
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A user of the identity provider who may sign in to the tenant."""

    id: UUID
    email: str
    role: str
    user_id: UUID | None
    status: str
    version: int


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """An API key, without its secret."""

    id: UUID
    name: str
    role: str
    user_id: UUID | None
    made_by: str | None
    hint: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    expires_at: datetime | None


def get_settings(scope: Scope, *, lock: bool = False) -> TenantRow:
    """Return the tenant's own row; `lock` keeps others from changing it until this transaction ends."""
    select_tenant = select(tenants).where(tenants.c.id == scope.tenant_id)
    return rows.one(TenantRow, scope.session.execute(select_tenant.with_for_update() if lock else select_tenant))


def get_member(scope: Scope, member_id: UUID, *, lock: bool = False) -> MemberRow:
    """Return one member of the tenant, or raise NotFound."""
    return get_row(scope, members, member_id, kind=MemberRow, what="member", lock=lock)


def get_api_key(scope: Scope, key_id: UUID) -> ApiKeyRow:
    """Return one API key of the tenant, or raise NotFound."""
    return get_row(scope, api_keys, key_id, kind=ApiKeyRow, what="API key")


def page_of_members(scope: Scope, query: PageQuery) -> RowPage[MemberRow]:
    """Read one page of members, oldest first."""
    select_members = select(members).where(members.c.tenant_id == scope.tenant_id)
    return page_rows(scope, select_members, kind=MemberRow, key=members.c.id, query=query)


def page_of_api_keys(scope: Scope, query: PageQuery) -> RowPage[ApiKeyRow]:
    """Read one page of API keys, oldest first."""
    select_keys = select(api_keys).where(api_keys.c.tenant_id == scope.tenant_id)
    return page_rows(scope, select_keys, kind=ApiKeyRow, key=api_keys.c.id, query=query)


def get_platform_tenant(scope: PlatformScope, tenant_id: UUID, *, lock: bool = False) -> TenantRow:
    """Return one tenant's row for the platform, or raise NotFound."""
    select_tenant = select(tenants).where(tenants.c.id == tenant_id)
    tenant = rows.first(TenantRow, scope.session.execute(select_tenant.with_for_update() if lock else select_tenant))
    if tenant is None:
        raise NotFound("There is no such tenant.")
    return tenant


def page_of_tenants(scope: PlatformScope, query: PageQuery) -> RowPage[TenantRow]:
    """Read one page of all tenants, oldest first."""
    return page_rows(scope, select(tenants), kind=TenantRow, key=tenants.c.id, query=query)
