"""The ledger: append-only lines, each a debit and a credit of one amount, and the balances they come to."""

from migrations.helpers import protect, run

revision = "2026_11_21_0810"
down_revision = "2026_11_21_0800"


def upgrade() -> None:
    run("""
        create table ledger_accounts (
            tenant_id uuid not null references tenants,
            kind text not null check (kind in ('payable', 'advances', 'sales_cost', 'wage_cost', 'cash')),
            user_id uuid,
            owner_id uuid not null generated always as (coalesce(user_id, tenant_id)) stored,
            currency text not null references currencies,
            balance numeric not null default 0,
            opened_at timestamptz not null default now(),
            primary key (tenant_id, kind, owner_id, currency),
            foreign key (tenant_id, user_id) references users,
            check ((user_id is not null) = (kind in ('payable', 'advances')))
        );
        comment on column ledger_accounts.balance is 'debits less credits of all its lines; kept by ledger_keep()';

        create table ledger_entries (
            tenant_id uuid not null,
            user_id uuid not null,
            number bigint not null generated always as identity,
            subject_id uuid not null,
            event text not null,
            revision smallint not null default 1,
            line smallint not null default 1,
            debit text not null,
            credit text not null,
            currency text not null,
            amount numeric not null check (amount > 0),
            booked_at timestamptz not null,
            primary key (tenant_id, user_id, number),
            unique (tenant_id, subject_id, event, revision, line),
            check (debit <> credit)
        );
        comment on column ledger_entries.subject_id is
            'the sale, payout or payslip that the event happened to; with event, revision and line the natural key';

        -- Balances follow the lines, in the same statement and by nobody else's hand: the application may not write
        -- them. People's accounts come before the tenant's own, as everywhere, so that two bookings never wait for
        -- each other. Nothing here is ever deleted, so finding each account once is all a foreign key would do.
        create function ledger_keep() returns trigger
        language plpgsql security definer set search_path = public, pg_temp as $$
        declare wanted bigint; moved bigint;
        begin
            with pairs as (
                select tenant_id, user_id, debit, credit, currency, sum(amount) as amount
                from added group by 1, 2, 3, 4, 5
            ), sides as (
                select tenant_id, debit as kind, user_id, currency, amount from pairs
                union all
                select tenant_id, credit, user_id, currency, -amount from pairs
            ), sums as (
                select tenant_id, kind,
                    case when kind in ('payable', 'advances') then user_id else tenant_id end as owner_id,
                    currency, sum(amount) as amount
                from sides group by 1, 2, 3, 4
            ), people as (
                update ledger_accounts a set balance = a.balance + s.amount from sums s
                where s.owner_id <> s.tenant_id and a.tenant_id = s.tenant_id and a.kind = s.kind
                  and a.owner_id = s.owner_id and a.currency = s.currency
                returning 1
            ), held as materialized (
                select a.tenant_id, a.kind, a.owner_id, a.currency, s.amount
                from sums s join ledger_accounts a using (tenant_id, kind, owner_id, currency)
                where s.owner_id = s.tenant_id and (select count(*) from people) >= 0
                order by a.kind, a.currency for update of a
            ), own as (
                update ledger_accounts a set balance = a.balance + h.amount from held h
                where a.tenant_id = h.tenant_id and a.kind = h.kind
                  and a.owner_id = h.owner_id and a.currency = h.currency
                returning 1
            )
            select (select count(*) from sums), (select count(*) from people) + (select count(*) from own)
            into wanted, moved;
            if moved <> wanted then
                raise exception 'a ledger line names an account that was not opened';
            end if;
            return null;
        end $$;

        create function ledger_is_append_only() returns trigger language plpgsql as $$
        begin
            raise exception 'ledger lines are never changed or deleted; book the reverse';
        end $$;

        create trigger balances after insert on ledger_entries
            referencing new table as added for each statement execute function ledger_keep();
        create trigger keep before update or delete on ledger_entries
            for each row execute function ledger_is_append_only();
        create trigger keep_all before truncate on ledger_entries
            for each statement execute function ledger_is_append_only();
    """)
    # The right to lock an account's row comes only with the right to update a column; this one says nothing of money.
    protect(
        "ledger_accounts",
        grants="select, insert (tenant_id, kind, user_id, currency), update (opened_at)",
    )
    # all but the number: the order of lines is the database's to give
    protect(
        "ledger_entries",
        grants="select, insert (tenant_id, user_id, subject_id, event, revision, line, debit, credit, currency, amount,"
        " booked_at)",
    )
