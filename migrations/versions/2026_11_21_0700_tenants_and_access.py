"""Tenants, who may enter them, and the world's currencies."""

from chalicelib.kernel.money import MINOR_UNITS
from migrations.helpers import open_to, protect, run

revision = "2026_11_21_0700"
down_revision = None


def upgrade() -> None:
    run("grant usage on schema public to wagebook_app, wagebook_platform, wagebook_directory, wagebook_sweeper")
    run("""
        create table currencies (
            code text primary key check (code ~ '^[A-Z]{3}$'),
            minor_units smallint not null
        );
        grant select on currencies to wagebook_app, wagebook_platform;

        create table tenants (
            id uuid primary key default uuidv7(),
            slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
            name text not null,
            currency text not null references currencies,
            timezone text not null,
            weekend smallint[] not null,
            week_start smallint not null default 6 check (week_start between 1 and 7),
            cycle_start_day smallint not null default 1 check (cycle_start_day between 1 and 28),
            policy jsonb not null default '{}',
            status text not null default 'active' check (status in ('active', 'suspended')),
            version integer not null default 1,
            created_at timestamptz not null default now()
        );

        create table platform_admins (
            id uuid primary key default uuidv7(),
            name text not null,
            email text unique,
            key_hash bytea unique
        );
        grant select, insert, update, delete on platform_admins to wagebook_platform;

        create table users (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            email text,
            language text not null default 'en',
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, email)
        );

        create table members (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            email text not null,
            role text not null check (role in ('tenant_admin', 'hr', 'manager', 'employee')),
            user_id uuid,
            issuer text,
            subject text,
            status text not null default 'active' check (status in ('active', 'disabled')),
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, email),
            unique (tenant_id, user_id),
            foreign key (tenant_id, user_id) references users
        );
        create index members_by_email on members (email);
        create index members_by_subject on members (subject, issuer) where subject is not null;

        create table api_keys (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            role text not null check (role in ('tenant_admin', 'hr', 'manager', 'employee')),
            user_id uuid,
            hint text not null,
            key_hash bytea not null,
            created_at timestamptz not null default now(),
            revoked_at timestamptz,
            primary key (tenant_id, id),
            unique (tenant_id, key_hash),
            foreign key (tenant_id, user_id) references users
        );
    """)
    run(
        "insert into currencies (code, minor_units) values "
        + ", ".join(f"('{code}', {units})" for code, units in sorted(MINOR_UNITS.items()))
    )
    protect("tenants", key="id", grants="select, update")
    protect("users")
    protect("members")
    protect("api_keys")
    open_to("wagebook_platform", "tenants", grants="select, insert, update")
    open_to("wagebook_directory", "tenants", grants="select (id, slug, status)")
    open_to("wagebook_directory", "members", grants="select (tenant_id, id, email, issuer, subject, status)")
    open_to("wagebook_sweeper", "tenants", grants="select (id, timezone, status)")
