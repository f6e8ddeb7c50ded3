"""The cast of every test: Acme, a Bangladeshi company with Friday and Saturday off, and Zenith, another tenant."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.identity import keys
from chalicelib.identity.permissions import Role
from tests.support.api import Api


@dataclass(frozen=True)
class Cast:
    """One tenant and a caller per role."""

    id: UUID
    slug: str
    admin: Api
    hr: Api


def tenant(name: str = "Acme", **settings: object) -> Cast:
    """Make a tenant with keys for its admin and its HR; `settings` are columns of `tenants`."""
    values = {
        "name": name,
        "slug": f"{name.lower()}-{uuid4().hex[:8]}",
        "currency": "BDT",
        "timezone": "Asia/Dhaka",
        "weekend": [5, 6],
        **settings,
    }
    with transaction(role="wagebook_platform") as session:
        tenant_id = session.execute(
            text(f"insert into tenants ({', '.join(values)}) values (:{', :'.join(values)}) returning id"), values
        ).scalar_one()
    return Cast(tenant_id, str(values["slug"]), key(tenant_id, Role.TENANT_ADMIN), key(tenant_id, Role.HR))


def key(tenant_id: UUID, role: Role, user_id: object = None) -> Api:
    """Make a caller with a role, acting for an employee if one is given."""
    secret = keys.make(tenant_id)
    with transaction(tenant_id=tenant_id) as session:
        session.execute(
            # names are unique: the first of a role has its plain name, further ones a number behind it
            text(
                "insert into api_keys (tenant_id, name, role, user_id, hint, key_hash)"
                " select :tenant_id, :name || coalesce(' ' || nullif(count(*), 0) + 1, ''), :role, :user_id, '', :hash"
                " from api_keys where tenant_id = :tenant_id and role = :role"
            ),
            {
                "tenant_id": tenant_id,
                "name": f"{role} key",
                "role": role,
                "user_id": user_id,
                "hash": keys.digest(secret),
            },
        )
    return Api(secret)


def second_admin(cast: Cast) -> Api:
    """Make another admin of a tenant, who took part in nothing yet and may therefore approve it."""
    return key(cast.id, Role.TENANT_ADMIN)


def by_another(cast: Cast) -> Cast:
    """Return the same tenant with another admin: what is done by them, `cast.admin` may approve."""
    return replace(cast, admin=second_admin(cast))


def platform_admin() -> Api:
    """Make a platform admin with a key."""
    secret = keys.make(None)
    with transaction(role="wagebook_platform") as session:
        session.execute(
            text("insert into platform_admins (name, key_hash) values ('Root', :hash)"), {"hash": keys.digest(secret)}
        )
    return Api(secret)
