"""Where people's money goes: sealed under a key of each tenant, and kept as it was when it was used."""

from migrations.helpers import protect, run

revision = "2026_11_21_0840"
down_revision = "2026_11_21_0830"


def upgrade() -> None:
    run("""
        create table tenant_keys (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            wrapped bytea not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id)
        );
        comment on column tenant_keys.wrapped is 'a data key as KMS wrapped it; readable it is kept nowhere';

        create table payout_destinations (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            kind text not null check (kind in ('iban', 'account', 'simulated')),
            holder text,
            masked text not null,
            sealed bytea not null,
            key_id uuid not null,
            created_at timestamptz not null default now(),
            created_by text not null,
            superseded_at timestamptz,
            primary key (tenant_id, id),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, key_id) references tenant_keys
        );
        create unique index payout_destinations_current on payout_destinations (tenant_id, user_id)
            where superseded_at is null;

        -- A payout refers to the row by which it went, so a row is replaced by another and never rewritten.
        create function destination_is_kept() returns trigger language plpgsql as $$
        begin
            if old.superseded_at is null and to_jsonb(new) - 'superseded_at' = to_jsonb(old) - 'superseded_at' then
                return new;
            end if;
            raise insufficient_privilege using message = 'a payout destination is superseded and never changed';
        end $$;
        create trigger keep before update on payout_destinations
            for each row execute function destination_is_kept();

        alter table payouts add foreign key (tenant_id, destination_id) references payout_destinations;
    """)
    protect("tenant_keys", grants="select, insert")
    protect("payout_destinations", grants="select, insert, update")
