"""Payouts: what is on its way to people, each with its history; and the simulated provider's own books."""

from migrations.helpers import open_to, protect, run

revision = "2026_11_21_0830"
down_revision = "2026_11_21_0820"


def upgrade() -> None:
    run("""
        create table payouts (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            currency text not null references currencies,
            amount numeric not null check (amount > 0),
            after_number bigint not null,
            through_number bigint not null,
            kind text not null check (kind in ('advance', 'final', 'retry', 'matched')),
            job_id uuid,
            provider text not null,
            destination_id uuid,
            reference text not null,
            status text not null,
            fence integer not null default 0,
            lease_until timestamptz,
            look_at timestamptz,
            looks integer not null default 0,
            first_sent_at timestamptz,
            unknown_since timestamptz,
            provider_reference text,
            problem text,
            batch_id uuid,
            prepared_by text not null,
            prepared_by_user_id uuid,
            approved_by text,
            created_at timestamptz not null default now(),
            settled_at timestamptz,
            primary key (tenant_id, id),
            unique (tenant_id, reference),
            foreign key (tenant_id, user_id) references users,
            -- one that was found in the provider's list may pay what is not on the books any more
            check (through_number > after_number or kind = 'matched' and through_number = after_number)
        );
        comment on column payouts.after_number is 'it pays what was booked for the person after this ledger line';
        comment on column payouts.through_number is '... up to and with this one';
        comment on column payouts.reference is
            'ours, told to the provider as idempotency key; made of what is paid, so the same after a restore';
        comment on column payouts.fence is 'rises with each claim; only the latest claim may settle';
        comment on column payouts.look_at is 'when somebody has to look at it again if nothing happened; null: never';
        create index payouts_by_user on payouts (tenant_id, user_id, currency, id);
        create index payouts_by_status on payouts (tenant_id, status, id);
        create index payouts_by_job on payouts (tenant_id, job_id);
        create index payouts_by_batch on payouts (tenant_id, batch_id) where batch_id is not null;
        create index payouts_to_look_at on payouts (look_at) where look_at is not null;

        -- The state graph, as kernel.states has it; a test keeps the two equal.
        create table payout_moves (
            from_status text not null,
            to_status text not null,
            primary key (from_status, to_status)
        );
        insert into payout_moves values
            ('held', 'queued'), ('held', 'cancelled'),
            ('queued', 'sending'),
            ('sending', 'queued'), ('sending', 'paid'), ('sending', 'failed'), ('sending', 'unknown'),
            ('sending', 'review'),
            ('unknown', 'sending'), ('unknown', 'paid'), ('unknown', 'failed'), ('unknown', 'review'),
            ('review', 'paid'), ('review', 'failed'),
            ('paid', 'returned');
        grant select on payout_moves to wagebook_app;

        create function payout_move() returns trigger language plpgsql as $$
        begin
            if not exists (select from payout_moves where from_status = old.status and to_status = new.status) then
                raise exception 'a payout that is % cannot become %', old.status, new.status;
            end if;
            return new;
        end $$;
        create trigger move before update of status on payouts
            for each row when (old.status <> new.status) execute function payout_move();
        create function payout_begin() returns trigger language plpgsql as $$
        begin
            if new.status not in ('held', 'queued') then
                raise exception 'a payout begins held or queued, not %', new.status;
            end if;
            return new;
        end $$;
        create trigger begin before insert on payouts for each row execute function payout_begin();

        create table payout_events (
            tenant_id uuid not null,
            payout_id uuid not null,
            number bigint not null generated always as identity,
            at timestamptz not null default clock_timestamp(),
            what text not null,
            status text not null,
            fence integer not null,
            detail text,
            actor text not null,
            primary key (tenant_id, payout_id, number),
            foreign key (tenant_id, payout_id) references payouts
        );
        comment on column payout_events.status is 'the payout''s status after it';

        -- The simulated provider's own books: it is a stranger's system and shares no transaction with ours.
        create table simulated_movements (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            reference text not null,
            user_id uuid not null,
            currency text not null,
            amount numeric not null,
            status text not null check (status in ('accepted', 'refused', 'returned')),
            reason text,
            at timestamptz not null,
            primary key (tenant_id, id)
        );
        create index simulated_movements_by_reference on simulated_movements (tenant_id, reference);
    """)
    # what is paid, to whom and under which key stays as it was made
    protect(
        "payouts",
        grants="select, insert, update (status, fence, lease_until, look_at, looks, first_sent_at, unknown_since,"
        " provider_reference, problem, batch_id, approved_by, settled_at)",
    )
    protect("payout_events", grants="select, insert")
    protect("simulated_movements", grants="select, insert, update (status, reason)")
    open_to("wagebook_sweeper", "payouts", grants="select (tenant_id, id, status, look_at)")
    # who has sales to advance or money to be paid, asked by the schedules for all tenants at once
    open_to("wagebook_sweeper", "ledger_accounts", grants="select (tenant_id, kind, balance)")
    open_to("wagebook_sweeper", "pending_sales", grants="select (tenant_id)")
