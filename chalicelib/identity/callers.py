"""Authenticate a caller and open the transaction, with a scope, in which the request runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from chalicelib.backing import cells, rows
from chalicelib.backing.database import enter_tenant, statement, transaction
from chalicelib.identity import key_use, keys, tokens, wrong_keys
from chalicelib.identity.permissions import GRANTS, GRANTS_AFTER_EXIT, Role
from chalicelib.identity.scope import Actor, Origin, PlatformScope, Scope, ScopeTenantRow, Tenant
from chalicelib.kernel.errors import Forbidden, Misdirected, NotFound, Suspended, Unauthenticated, WrongKey

_SELECT_KEY = text(statement(__file__, "caller_by_key"))
_SELECT_MEMBER = text(statement(__file__, "caller_by_member"))
_SELECT_MEMBERSHIPS = text(statement(__file__, "memberships"))
_SELECT_TENANT = text(statement(__file__, "tenant"))


@dataclass(frozen=True, slots=True)
class _CallerRow(ScopeTenantRow):
    """An authenticated caller: the tenant and the actor."""

    actor_name: str
    role: str
    user_id: UUID | None
    has_left: bool
    actor_id: UUID
    all_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class _KeyCallerRow(_CallerRow):
    """The caller behind an API key."""

    key_id: UUID
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class _AdminRow:
    """A platform admin."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class _MembershipRow:
    """One tenant that a token's bearer is a member of; without a subject, it is not bound to the bearer yet."""

    tenant_id: UUID
    id: UUID
    subject: str | None
    slug: str


@contextmanager
def caller_scope(headers: Mapping[str, str], *, now: datetime, origin: Origin) -> Iterator[Scope | PlatformScope]:
    """Authenticate by API key or OIDC token, and open the caller's transaction. Raises Unauthenticated or Forbidden."""
    key, bearer = headers.get("x-api-key"), headers.get("authorization", "")
    if key:
        with _key_scope(key, headers.get("x-tenant"), now, origin) as scope:
            yield scope
    elif bearer[:7].lower() == "bearer ":
        identity = tokens.verify(bearer[7:].strip())
        with transaction(role="wagebook_directory") as session:
            yield _authenticate_token(session, identity, headers.get("x-tenant"), now, origin)
    else:
        raise Unauthenticated("Send an API key as X-API-Key, or an OIDC token as Authorization: Bearer.")


@contextmanager
def _key_scope(key: str, requested_slug: str | None, now: datetime, origin: Origin) -> Iterator[Scope | PlatformScope]:
    """Open a transaction for the holder of a key; when it is over, committed or not, record the key's use."""
    wrong_keys.refuse_known(key, origin.ip)
    row: _KeyCallerRow | None = None
    try:
        tenant_id = keys.tenant_of(key)
        with transaction(tenant_id=tenant_id, role=None if tenant_id else "wagebook_platform") as session:
            scope, row = _authenticate_key(session, key, tenant_id, requested_slug, now, origin)
            yield scope
    except WrongKey as refusal:
        raise wrong_keys.note(key, origin.ip, refusal) from None
    finally:
        if row is not None:
            key_use.note(row.id, row.key_id, last_used_at=row.last_used_at, now=now)


def _authenticate_key(
    session: Connection, key: str, tenant_id: UUID | None, requested_slug: str | None, now: datetime, origin: Origin
) -> tuple[Scope | PlatformScope, _KeyCallerRow | None]:
    """Return the scope of a key's holder, and the row of a tenant's key. Raises WrongKey."""
    if tenant_id is None:
        admin = rows.first(
            _AdminRow,
            session.execute(
                text("select id, name from platform_admins where key_hash = :digest"), {"digest": keys.digest(key)}
            ),
        )
        if admin is None:
            raise WrongKey("This API key is not known, or was revoked.")
        return _make_platform_scope(session, admin, now, origin), None
    values = {"tenant_id": tenant_id, "digest": keys.digest(key), "now": now}
    row = rows.first(_KeyCallerRow, session.execute(_SELECT_KEY, values))
    if row is None:
        raise WrongKey("This API key is not known, or was revoked.")
    if row.expires_at is not None and row.expires_at <= now:
        raise WrongKey("This API key has expired; make a new one.")
    if row.has_left:
        raise WrongKey("This API key ended when the person whom it acts for, or who made it, left; make a new one.")
    if requested_slug and requested_slug != row.slug:
        raise Forbidden("This API key belongs to another tenant than X-Tenant says.")
    return _make_scope(session, row, now, origin), row


def _authenticate_token(
    session: Connection, identity: tokens.Identity, requested_slug: str | None, now: datetime, origin: Origin
) -> Scope | PlatformScope:
    """Return the scope of a token's bearer as the member of one tenant, or as platform admin; bind the subject."""
    claims = {"subject": identity.subject, "issuer": identity.issuer, "email": identity.email}
    memberships = rows.every(_MembershipRow, session.execute(_SELECT_MEMBERSHIPS, claims))
    matching = [m for m in memberships if requested_slug in (None, m.slug)]
    if not memberships and identity.email:
        session.exec_driver_sql("set local role wagebook_platform")
        admin = rows.first(
            _AdminRow,
            session.execute(
                text("select id, name from platform_admins where email = :email"), {"email": identity.email}
            ),
        )
        if admin is not None:
            return _make_platform_scope(session, admin, now, origin)
    if not memberships:
        raise Forbidden("You are signed in, but no tenant has you as a member.")
    if not matching:
        raise NotFound(f"No tenant {requested_slug} has you as a member.")
    if len(matching) > 1:
        raise Forbidden("You belong to several tenants; choose with X-Tenant: " + ", ".join(m.slug for m in matching))
    membership = matching[0]
    enter_tenant(session, membership.tenant_id)
    if membership.subject is None:
        session.execute(
            text("update members set issuer = :issuer, subject = :subject where tenant_id = :tenant_id and id = :id"),
            {
                "tenant_id": membership.tenant_id,
                "id": membership.id,
                "issuer": identity.issuer,
                "subject": identity.subject,
            },
        )
    values = {"tenant_id": membership.tenant_id, "member_id": membership.id, "now": now}
    return _make_scope(session, rows.one(_CallerRow, session.execute(_SELECT_MEMBER, values)), now, origin)


def _make_scope(session: Connection, row: _CallerRow, now: datetime, origin: Origin) -> Scope:
    """Make the scope of an authenticated caller. Raises Misdirected for another cell's tenant, or Suspended."""
    if not cells.is_here(row.cell):  # checked first: the row left behind for a tenant of another cell is suspended
        raise Misdirected(row.cell)
    if row.status != "active":
        because = f": {row.suspended_because}" if row.suspended_because else "."
        raise Suspended(f"This tenant is suspended{because}")
    # after the employee has left, the login remains with the role of an employee who may only read
    role, grants = (Role.EMPLOYEE, GRANTS_AFTER_EXIT) if row.has_left else (Role(row.role), GRANTS[Role(row.role)])
    actor = Actor(row.actor_name, role, row.user_id, row.actor_id, frozenset(row.all_ids))
    return Scope(Tenant.of(row), actor, grants, now, session, origin)


def _make_platform_scope(session: Connection, admin: _AdminRow, now: datetime, origin: Origin) -> PlatformScope:
    return PlatformScope(
        Actor(admin.name, Role.PLATFORM_ADMIN, id=admin.id), GRANTS[Role.PLATFORM_ADMIN], now, session, origin
    )


@contextmanager
def job_scope(tenant_id: UUID, *, name: str, now: datetime, origin: Origin) -> Iterator[Scope]:
    """Open a transaction for a job or an operator, with all permissions inside the one tenant."""
    with transaction(tenant_id=tenant_id) as session:
        row = rows.first(ScopeTenantRow, session.execute(_SELECT_TENANT, {"tenant_id": tenant_id}))
        if row is None:
            raise NotFound("There is no such tenant.")
        actor = Actor(name, Role.TENANT_ADMIN)
        yield Scope(Tenant.of(row), actor, GRANTS[Role.TENANT_ADMIN], now, session, origin)


def check_cell(session: Connection, tenant_id: UUID) -> None:
    """Refuse a tenant of another cell, where there is no caller to authenticate. Raises Misdirected."""
    cell = session.execute(text("select cell from tenants where id = :id"), {"id": tenant_id}).scalar_one()
    if not cells.is_here(cell):
        raise Misdirected(cell)
