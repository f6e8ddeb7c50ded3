"""Bank details: changed ones hold payouts until a second person confirms them, and one's own are a request."""

from migrations.helpers import declare_personal_data, run

revision = "2026_12_01_1042"
down_revision = "2026_12_01_1041"


def upgrade() -> None:
    run("""
        alter table payout_destinations
            add column created_by_ids uuid[] not null default '{}',
            add column requested_at timestamptz,
            add column withdrawn_at timestamptz,
            add column held_until timestamptz,
            add column confirmed_by text,
            add column confirmed_by_ids uuid[] not null default '{}',
            add column confirmed_at timestamptz,
            add check (requested_at is null or confirmed_at is not null or superseded_at is not null),
            add check ((confirmed_at is null) = (confirmed_by is null));
        comment on column payout_destinations.superseded_at is
            'when another took its place; a request has it from the beginning, until it is confirmed';
        comment on column payout_destinations.requested_at is
            'when its person asked for it, where they did; nobody is paid to a request';
        comment on column payout_destinations.withdrawn_at is 'when another request or details took a request''s place';
        comment on column payout_destinations.held_until is 'until then nobody is paid to it; null: it is not held';
        create index payout_destinations_requested on payout_destinations (tenant_id, user_id)
            where requested_at is not null and confirmed_at is null and withdrawn_at is null;

        -- What a row says of where money goes is never rewritten; whether it is in force, held or confirmed may change.
        create or replace function destination_is_kept() returns trigger language plpgsql as $$
        declare
            settled constant text[] := '{held_until,confirmed_by,confirmed_by_ids,confirmed_at}';
        begin
            if is_erasing() then
                return new;
            end if;
            if old.superseded_at is null
                and to_jsonb(new) - 'superseded_at' - settled = to_jsonb(old) - 'superseded_at' - settled then
                return new;
            end if;
            -- a request that a second person confirms takes effect, and one that is withdrawn never will
            if old.requested_at is not null and old.confirmed_at is null and old.withdrawn_at is null
                and to_jsonb(new) - '{superseded_at,withdrawn_at}'::text[] - settled
                    = to_jsonb(old) - '{superseded_at,withdrawn_at}'::text[] - settled then
                return new;
            end if;
            if new.key_id > old.key_id
                and to_jsonb(new) - '{sealed,key_id}'::text[] = to_jsonb(old) - '{sealed,key_id}'::text[] then
                return new;
            end if;
            raise insufficient_privilege using message = 'a payout destination is superseded and never changed';
        end $$;
    """)
    run("""
        alter table users add column previous_email text, add column email_changed_at timestamptz;
        comment on column users.previous_email is 'the address before, which is told of changes for some time';

        alter table notification_logs add column address text;
        comment on column notification_logs.address is
            'where this mail goes, where it is not the person''s own address: the one they had before';

        -- whatever kinds there are by now stay
        do $$
        declare
            known text;
        begin
            select string_agg(quote_literal(kind.words[1]), ', ') into known
            from pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''', 'g') kind (words)
            where c.conrelid = 'notification_logs'::regclass and c.conname = 'notification_logs_kind_check';
            alter table notification_logs drop constraint notification_logs_kind_check;
            execute format(
                'alter table notification_logs add constraint notification_logs_kind_check'
                ' check (kind in (%s, ''destination_changed'', ''email_changed''))', known);
        end $$;
    """)
    declare_personal_data(
        [],
        [
            ("users", "previous_email", "blanked", "null"),
            ("notification_logs", "address", "words", ""),
            ("payout_destinations", "confirmed_by", "words", ""),
        ],
    )
