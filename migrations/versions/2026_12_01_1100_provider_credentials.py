"""The credentials that a tenant has at a payout provider, encrypted by the vault."""

from migrations.helpers import declare_personal_data, protect, run

revision = "2026_12_01_1100"
down_revision = "2026_12_01_1090"


def upgrade() -> None:
    run("""
        create table provider_credentials (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            provider text not null,
            sealed bytea not null,
            key_id uuid not null,
            changed_at timestamptz not null,
            primary key (tenant_id, id),
            unique (tenant_id, provider),
            foreign key (tenant_id, key_id) references tenant_keys
        );
        comment on column provider_credentials.provider is 'its module in payouts/delivery/providers';
        comment on column provider_credentials.sealed is
            'the provider''s own credentials model as JSON, encrypted by the vault; never returned by the API';
    """)
    protect("provider_credentials", grants="select, insert, delete, update (sealed, key_id)")
    declare_personal_data(
        [("provider_credentials", "false", "none", "")], [("provider_credentials", "provider", "none", "")]
    )
