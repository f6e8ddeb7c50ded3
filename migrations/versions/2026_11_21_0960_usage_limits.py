"""What operators need of a tenant: a limit on its requests, why it is suspended, keys that take another's place."""

from migrations.helpers import protect, run

revision = "2026_11_21_0960"
down_revision = "2026_11_21_0950"


def upgrade() -> None:
    run("""
        alter table tenants
            add column requests_per_minute integer not null default 30000
                check (requests_per_minute between 1 and 10000000),
            add column suspended_because text,
            add constraint tenants_suspended_because_check check (suspended_because is null or status = 'suspended');
        comment on column tenants.suspended_because is 'what its callers are told; null: nothing was said';

        -- what a tenant's admins may change, and no more: neither its status nor its limit
        revoke update on tenants from wagebook_app;
        grant update (name, currency, timezone, weekend, week_start, cycle_start_day, policy, branding, version)
            on tenants to wagebook_app;

        -- not logged: after a crash everybody's minute begins anew; half empty, so that updates stay on their page
        create unlogged table request_windows (
            tenant_id uuid not null references tenants,
            over_at timestamptz not null,
            taken integer not null,
            lease integer not null,
            primary key (tenant_id)
        ) with (fillfactor = 50);
        comment on column request_windows.taken is 'requests handed out of the minute that ends at over_at';
        comment on column request_windows.lease is 'how many of them to whoever asked last';
    """)
    protect("request_windows")
    run("""
        alter table tenant_keys add column retired_at timestamptz;
        comment on column tenant_keys.retired_at is 'when nothing kept here was sealed under it any more';
        grant update (retired_at) on tenant_keys to wagebook_app;

        -- Still never rewritten, but its seal may be renewed under a newer key: what it says is bound to the row.
        create or replace function destination_is_kept() returns trigger language plpgsql as $$
        begin
            if old.superseded_at is null and to_jsonb(new) - 'superseded_at' = to_jsonb(old) - 'superseded_at' then
                return new;
            end if;
            if new.key_id > old.key_id
                and to_jsonb(new) - '{sealed,key_id}'::text[] = to_jsonb(old) - '{sealed,key_id}'::text[] then
                return new;
            end if;
            raise insufficient_privilege using message = 'a payout destination is superseded and never changed';
        end $$;
    """)
