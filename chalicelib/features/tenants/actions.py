"""Writes of tenants, members and API keys."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from chalicelib import audit, four_eyes
from chalicelib.backing import cells, rows
from chalicelib.backing.database import enter_tenant
from chalicelib.entry.versions import check_version
from chalicelib.features.periods import cycle, periods, working_days
from chalicelib.features.periods.locks import lock_calendar
from chalicelib.features.tenants import queries
from chalicelib.features.tenants.queries import ApiKeyRow, MemberRow, TenantRow
from chalicelib.features.tenants.schemas import NewApiKey, NewMember, NewTenant
from chalicelib.identity import keys
from chalicelib.identity.models import api_keys, members, tenants
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import PlatformScope, Scope
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.kernel.policy import TERMS, PayPolicy

LONGEST_LIFE = timedelta(days=3653)  # of a key with an end: ten years
# settings and switches that change which days are worked, what they are worth, and how attendance is decided
_DECIDES_ATTENDANCE = {"full_day_minutes", "half_day_minutes"}
_MOVES_DAYS = {"timezone", "weekend", "week_start"}
_MOVES_PAY = frozenset(TERMS)


@dataclass(frozen=True, slots=True)
class NewApiKeyRow(ApiKeyRow):
    """An API key with its secret, which is not kept."""

    key: str


@dataclass(frozen=True, slots=True)
class AdminRow:
    """A member who may administer the tenant and can sign in."""

    id: UUID
    user_id: UUID | None


def change_settings(scope: Scope, *, patch: Mapping[str, Any], if_match: int | None) -> TenantRow:
    """Change the tenant's settings; open pay periods are computed again by the next nightly job."""
    if "weekend" in patch:
        lock_calendar(scope)
    before = queries.get_settings(scope, lock=True)
    check_version({"version": before.version}, if_match)
    changes = dict(patch)
    switches = changes.pop("policy", {})
    if switches.get("four_eyes") is False and four_eyes.has_other_approver(scope):
        raise Conflict(
            "Four eyes can be switched off only while a single person can approve, and somebody else can: another"
            " active member or key of the roles tenant_admin and hr."
        )
    if switches:
        changes["policy"] = PayPolicy(**{**before.policy, **switches}).model_dump(mode="json", exclude_defaults=True)
    if "branding" in patch:
        changes["branding"] = {**(before.branding or {}), **patch["branding"]}
    if patch.get("cycle_start_day", before.cycle_start_day) != before.cycle_start_day:
        cycle.drop_periods(scope)
    after = rows.one(
        TenantRow,
        scope.session.execute(
            update(tenants)
            .where(tenants.c.id == scope.tenant_id)
            .values(**changes, version=tenants.c.version + 1)
            .returning(tenants)
        ),
    )
    if "weekend" in changes:
        working_days.calendar_changed(scope, user_ids=None)
    if _MOVES_DAYS & changes.keys() or _MOVES_PAY & switches.keys():
        periods.touch_all(scope, decide=bool(_DECIDES_ATTENDANCE & switches.keys()))
    audit.record(
        scope,
        action="tenant.changed",
        entity_type="tenant",
        entity_id=scope.tenant_id,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return after


def add_member(scope: Scope, *, new: NewMember) -> MemberRow:
    """Let a user with this verified address sign in."""
    member = rows.one(
        MemberRow,
        scope.session.execute(insert(members).values(tenant_id=scope.tenant_id, **new.model_dump()).returning(members)),
    )
    audit.record(scope, action="member.added", entity_type="member", entity_id=member.id, after=new.model_dump())
    return member


def change_member(scope: Scope, *, member_id: UUID, patch: Mapping[str, Any], if_match: int | None) -> MemberRow:
    """Change a member's role or status; the tenant keeps at least one admin who can enter."""
    admins = [admin.id for admin in _lock_admins(scope)]
    before = queries.get_member(scope, member_id, lock=True)
    check_version({"version": before.version}, if_match)
    stays_admin = patch.get("role", before.role) == Role.TENANT_ADMIN and patch.get("status", "active") == "active"
    if admins == [member_id] and not stays_admin:
        raise Conflict("This is the tenant's last admin; make another one first.")
    after = rows.one(
        MemberRow,
        scope.session.execute(
            update(members)
            .where(members.c.tenant_id == scope.tenant_id, members.c.id == member_id)
            .values(**patch, version=members.c.version + 1)
            .returning(members)
        ),
    )
    audit.record(
        scope,
        action="member.changed",
        entity_type="member",
        entity_id=member_id,
        before={name: getattr(before, name) for name in patch},
        after=patch,
    )
    return after


def keep_an_admin(scope: Scope, *, leaving: UUID) -> None:
    """Raise Conflict where an employee leaves who is the tenant's last admin: that login could only read afterwards."""
    admins = _lock_admins(scope)
    if admins and {admin.user_id for admin in admins} == {leaving}:
        raise Conflict("This person is the tenant's last admin; make another one before they leave.")


def _lock_admins(scope: Scope) -> list[AdminRow]:
    """Lock the admins who can enter, in one order, so that two who remove each other do not both succeed."""
    left = func.has_left(scope.tenant_id, func.array_append(text("array[]::uuid[]"), members.c.user_id), scope.today())
    return rows.every(
        AdminRow,
        scope.session.execute(
            select(members.c.id, members.c.user_id)
            .where(
                members.c.tenant_id == scope.tenant_id,
                members.c.role == Role.TENANT_ADMIN,
                members.c.status == "active",
                ~left,
            )
            .order_by(members.c.id)
            .with_for_update()
        ),
    )


def make_api_key(scope: Scope, *, new: NewApiKey) -> NewApiKeyRow:
    """Make an API key and return its secret, of which only the hash is kept."""
    if new.expires_at is not None and not scope.now < new.expires_at <= scope.now + LONGEST_LIFE:
        raise invalid(
            "/expires_at", "must be a moment to come, within ten years; leave it out for a key without an end"
        )
    key = keys.make(scope.tenant_id)
    made = rows.one(
        ApiKeyRow,
        scope.session.execute(
            insert(api_keys)
            .values(
                tenant_id=scope.tenant_id,
                **new.model_dump(),
                hint=key[-4:],
                key_hash=keys.digest(key),
                made_by=scope.actor.name,
                made_by_ids=_ids_of_maker(scope),
            )
            .returning(api_keys)
        ),
    )
    audit.record(scope, action="api_key.made", entity_type="api_key", entity_id=made.id, after=new.model_dump())
    return NewApiKeyRow(**asdict(made), key=key)


def _ids_of_maker(scope: Scope) -> list[UUID]:
    """Return all ids of the caller, the one that records name first; none for an operator."""
    first = scope.actor.id
    return [] if first is None else [first, *sorted(scope.actor.all_ids - {first})]


def revoke_api_key(scope: Scope, *, key_id: UUID) -> None:
    """End a key at once; ending it again changes nothing."""
    before = queries.get_api_key(scope, key_id)
    if before.revoked_at is None:
        scope.session.execute(
            update(api_keys)
            .where(api_keys.c.tenant_id == scope.tenant_id, api_keys.c.id == key_id)
            .values(revoked_at=scope.now)
        )
        audit.record(scope, action="api_key.revoked", entity_type="api_key", entity_id=key_id)


def make_tenant(scope: PlatformScope, *, new: NewTenant) -> TenantRow:
    """Add a tenant, and its first admin where an address is given."""
    values = {**new.model_dump(exclude={"admin_email"}), "cell": cells.here()}
    tenant = rows.one(TenantRow, scope.session.execute(insert(tenants).values(**values).returning(tenants)))
    if new.admin_email:
        enter_tenant(scope.session, tenant.id)
        scope.session.execute(
            insert(members).values(tenant_id=tenant.id, email=new.admin_email, role=Role.TENANT_ADMIN)
        )
    audit.record(
        scope,
        action="tenant.made",
        entity_type="tenant",
        entity_id=tenant.id,
        tenant_id=tenant.id,
        after=new.model_dump(),
    )
    return tenant


def change_tenant(
    scope: PlatformScope, *, tenant_id: UUID, patch: Mapping[str, Any], if_match: int | None, why: str | None = None
) -> TenantRow:
    """Rename, suspend, restore or move a tenant, or set its rate limit; `why` is for the audit."""
    before = queries.get_platform_tenant(scope, tenant_id, lock=True)
    check_version({"version": before.version}, if_match)
    _check_cell(before, patch)
    if patch.get("status", before.status) != "suspended":
        if patch.get("suspended_because"):
            raise invalid("/suspended_because", "is said of a tenant that is suspended, and this one is active")
        if before.suspended_because:  # it ends with the suspension
            patch = {**patch, "suspended_because": None}
    after = rows.one(
        TenantRow,
        scope.session.execute(
            update(tenants)
            .where(tenants.c.id == tenant_id)
            .values(**patch, version=tenants.c.version + 1)
            .returning(tenants)
        ),
    )
    audit.record(
        scope,
        action="tenant.changed",
        entity_type="tenant",
        entity_id=tenant_id,
        tenant_id=tenant_id,
        before={name: getattr(before, name) for name in patch},
        after={**patch, "why": why} if why else patch,
    )
    return after


def _check_cell(before: TenantRow, patch: Mapping[str, Any]) -> None:
    """Keep a tenant that lives in another cell suspended here, so that whatever skips suspended tenants skips it."""
    cell = patch.get("cell", before.cell)
    if cell != before.cell and before.status != "suspended":
        raise Conflict("The cell changes only while the tenant is suspended: rows written meanwhile would be left.")
    if patch.get("status", before.status) == "active" and not cells.is_here(cell):
        raise Conflict(f"This tenant lives in the cell {cell}; let it go on there. This is {cells.here()}.")
