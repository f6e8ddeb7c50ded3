"""Scopes for an operator: the platform's or one tenant's; the actor in the audit is the operator's account name."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text

from chalicelib.backing import clock, outbox, rows
from chalicelib.backing.database import transaction
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import GRANTS, Role
from chalicelib.identity.scope import Actor, Origin, PlatformScope, Scope
from chalicelib.kernel.errors import NotFound


def operator_name() -> str:
    """Return the operator's name: the account on this machine, or in AWS who started the build."""
    try:
        return f"operator {os.environ.get('CODEBUILD_INITIATOR') or getpass.getuser()}"
    except (KeyError, OSError):  # a container's account may have no name
        return "operator"


def _origin() -> Origin:
    return Origin(request_id=f"cli-{uuid4()}", agent="chalicelib.cli")


@dataclass(frozen=True, slots=True)
class ListedTenant:
    """A tenant as commands name it."""

    id: UUID
    slug: str
    name: str


@contextmanager
def platform() -> Iterator[PlatformScope]:
    """Open a transaction that sees the tenants and none of their rows."""
    with transaction(role="wagebook_platform") as session:
        actor = Actor(operator_name(), Role.PLATFORM_ADMIN)
        scope = PlatformScope(actor, GRANTS[Role.PLATFORM_ADMIN], clock.now(), session, _origin())
        yield scope
        for callback in scope.at_commit:  # the audit, in the tenant's own chain
            callback()


@contextmanager
def operating(tenant_id: UUID, *, sends: bool = True) -> Iterator[Scope]:
    """Open a transaction of one tenant; its messages are sent after the commit, unless `sends` is false."""
    with job_scope(tenant_id, name=operator_name(), now=clock.now(), origin=_origin()) as scope:
        yield scope
        for callback in scope.at_commit:
            callback()
    if sends:
        outbox.send(scope.outgoing)


def get_tenants(slug: str | None = None) -> list[ListedTenant]:
    """Return the tenant with this slug, or all tenants. Raises NotFound."""
    with platform() as scope:
        tenants = rows.every(
            ListedTenant, scope.session.execute(text("select id, slug, name from tenants order by slug"))
        )
    if slug is None:
        return tenants
    if matching := [tenant for tenant in tenants if tenant.slug == slug]:
        return matching
    known = ", ".join(tenant.slug for tenant in tenants[:10]) + (", ..." if len(tenants) > 10 else "")
    raise NotFound(f"There is no tenant {slug}. " + (f"There are: {known}." if known else "There is none yet."))


def get_tenant_id(slug: str) -> UUID:
    """Return the id of the tenant with this slug. Raises NotFound."""
    return get_tenants(slug)[0].id
