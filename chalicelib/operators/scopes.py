"""Scopes for a person at a terminal: the platform's, or one tenant's, named in the audit by the account they use."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from sqlalchemy import Row, text

from chalicelib.backing import clock, outbox
from chalicelib.backing.database import transaction
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import GRANTS, Role
from chalicelib.identity.scope import Actor, Origin, PlatformScope, Scope
from chalicelib.kernel.errors import NotFound


def operator() -> str:
    """Return who sits at the terminal, as far as the machine knows; in AWS, who started the build."""
    try:
        return f"operator {os.environ.get('CODEBUILD_INITIATOR') or getpass.getuser()}"
    except (KeyError, OSError):  # a container's account may have no name
        return "operator"


def _origin() -> Origin:
    return Origin(request_id=f"cli-{uuid4()}", agent="chalicelib.cli")


@contextmanager
def platform() -> Iterator[PlatformScope]:
    """Open a transaction that sees the tenants and nothing of theirs."""
    with transaction(role="wagebook_platform") as session:
        actor = Actor(operator(), Role.PLATFORM_ADMIN)
        scope = PlatformScope(actor, GRANTS[Role.PLATFORM_ADMIN], clock.now(), session, _origin())
        yield scope
        for last in scope.at_commit:  # the audit, in the tenant's own chain
            last()


@contextmanager
def operating(tenant_id: UUID, *, sends: bool = True) -> Iterator[Scope]:
    """Open a transaction in one tenant, and send its messages after the commit if it `sends`."""
    with job_scope(tenant_id, name=operator(), now=clock.now(), origin=_origin()) as scope:
        yield scope
        for last in scope.at_commit:
            last()
    if sends:
        outbox.send(scope.outgoing)


def get_tenants(slug: str | None = None) -> list[Row]:
    """Return id, slug and name of the tenant with this slug, or NotFound; of all tenants if not said."""
    with platform() as scope:
        tenants = list(scope.session.execute(text("select id, slug, name from tenants order by slug")))
    if slug is None:
        return tenants
    if found := [tenant for tenant in tenants if tenant.slug == slug]:
        return found
    known = ", ".join(tenant.slug for tenant in tenants[:10]) + (", ..." if len(tenants) > 10 else "")
    raise NotFound(f"There is no tenant {slug}. " + (f"There are: {known}." if known else "There is none yet."))


def get_tenant_id(slug: str) -> UUID:
    """Return the id of the tenant with this slug, or NotFound."""
    found: UUID = get_tenants(slug)[0].id
    return found
