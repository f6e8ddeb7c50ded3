"""Tables of tenants, and of the members, API keys and platform admins that may sign in."""

from sqlalchemy import ARRAY, Column, DateTime, Integer, LargeBinary, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column

tenants = Table(
    "tenants",
    metadata,
    id_column(),
    Column("slug", Text, doc="short unique name, by which callers choose a tenant (X-Tenant)"),
    Column("name", Text),
    Column("currency", Text, doc="ISO 4217; of salaries that name no other"),
    Column("timezone", Text, doc="IANA name; days of the calendar are days of this zone"),
    Column("weekend", ARRAY(SmallInteger), doc="weekly days off, ISO 1 = Monday .. 7 = Sunday"),
    Column("week_start", SmallInteger, doc="ISO day on which a pay week starts"),
    Column("cycle_start_day", SmallInteger, doc="1: calendar months; d: from day d of the month before"),
    Column("policy", JSONB, doc="overrides of kernel.policy.PayPolicy: only what differs from its defaults"),
    Column("branding", JSONB, doc="color and footer of mails, where the tenant chose them"),
    Column("status", Text, doc="active or suspended"),
    Column("suspended_because", Text, doc="reason that its callers are shown; null: none"),
    Column("cell", Text, doc="the cell that has its rows; if not this process's, this row only points there"),
    Column("requests_per_minute", Integer, doc="rate limit of all its callers together, set by the platform"),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)

platform_admins = Table(
    "platform_admins",
    metadata,
    id_column(),
    Column("name", Text),
    Column("email", Text, doc="verified address of an OIDC identity, if they sign in that way"),
    Column("key_hash", LargeBinary, doc="SHA-256 of their key, if they have one"),
)

members = Table(
    "members",
    metadata,
    tenant_column(),
    id_column(),
    Column("email", Text, doc="lower case; compared with the verified address of a token"),
    Column("role", Text, doc="identity.permissions.Role"),
    Column("user_id", Uuid, doc="the employee, where the member is one"),
    Column("issuer", Text, doc="OIDC issuer, bound at the first sign-in"),
    Column("subject", Text, doc="OIDC subject, bound at the first sign-in; from then on e-mail is not asked"),
    Column("status", Text, doc="active or disabled"),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)

api_keys = Table(
    "api_keys",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text, doc="unique among the tenant's live keys"),
    Column("role", Text),
    Column("user_id", Uuid, doc="the employee that the key acts for, if any"),
    Column("made_by", Text, doc="who made it, as shown"),
    Column(
        "made_by_ids",
        ARRAY(Uuid),
        doc="all ids of who made it (Actor.all_ids); empty: made at the command line, acts as itself",
    ),
    Column("hint", Text, doc="the key's last four characters"),
    Column("key_hash", LargeBinary, doc="SHA-256 of the key; the key itself is shown once and kept nowhere"),
    Column("created_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True), doc="to within identity.key_use.INTERVAL"),
    Column("expires_at", DateTime(timezone=True), doc="from then on it is refused; null: it does not end by itself"),
)
