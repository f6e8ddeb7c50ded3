"""Reads of tenants, members and keys."""

from uuid import UUID

from sqlalchemy import select

from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.identity.models import api_keys, members, tenants
from chalicelib.identity.scope import PlatformScope, Scope
from chalicelib.kernel.errors import NotFound


def get_settings(scope: Scope, *, lock: bool = False) -> Record:
    """Read the tenant's own row; `lock` keeps others from changing it until this transaction ends."""
    rows = select(tenants).where(tenants.c.id == scope.tenant_id)
    return dict(scope.session.execute(rows.with_for_update() if lock else rows).mappings().one())


def get_member(scope: Scope, member_id: UUID, *, lock: bool = False) -> Record:
    """Read one member of the tenant, or NotFound."""
    return get_row(scope, members, member_id, what="member", lock=lock)


def get_api_key(scope: Scope, key_id: UUID) -> Record:
    """Read one key of the tenant, or NotFound."""
    return get_row(scope, api_keys, key_id, what="API key")


def page_of_members(scope: Scope, query: PageQuery) -> Record:
    """Read one page of members, oldest first."""
    rows = select(members).where(members.c.tenant_id == scope.tenant_id)
    return page_of(scope, rows, key=members.c.id, query=query)


def page_of_api_keys(scope: Scope, query: PageQuery) -> Record:
    """Read one page of keys, oldest first."""
    rows = select(api_keys).where(api_keys.c.tenant_id == scope.tenant_id)
    return page_of(scope, rows, key=api_keys.c.id, query=query)


def get_platform_tenant(scope: PlatformScope, tenant_id: UUID, *, lock: bool = False) -> Record:
    """Read one tenant's row for the platform, or NotFound."""
    rows = select(tenants).where(tenants.c.id == tenant_id)
    found = scope.session.execute(rows.with_for_update() if lock else rows).mappings()
    if (row := found.first()) is None:
        raise NotFound("There is no such tenant.")
    return dict(row)


def page_of_tenants(scope: PlatformScope, query: PageQuery) -> Record:
    """Read one page of all tenants, oldest first."""
    return page_of(scope, select(tenants), key=tenants.c.id, query=query)
