"""What a payroll run booked waits in payable for the run's own pay: earmarks, nettings, and payouts of payslips."""

from migrations.helpers import as_owner_of_rows, declare_personal_data, protect, run

revision = "2026_12_01_1060"
down_revision = "2026_12_01_1055"

MONEY = "the law of taxes and of accounts: what was paid"


def upgrade() -> None:
    run("""
        create table payable_earmarks (
            tenant_id uuid not null,
            run_id uuid not null,
            user_id uuid not null,
            payslip_id uuid not null,
            currency text not null,
            amount numeric not null check (amount > 0),
            netted numeric not null default 0 check (netted between 0 and amount),
            waits boolean not null default true,
            payout_id uuid,
            primary key (tenant_id, run_id, user_id),
            unique (tenant_id, payslip_id),
            foreign key (tenant_id, payout_id) references payouts,
            constraint payable_earmarks_settled check (waits or payout_id is not null or netted = amount)
        );
        comment on table payable_earmarks is
            'the part of a person''s payable that is a payslip''s net: only the pay of its payroll run pays it out';
        comment on column payable_earmarks.netted is 'what was taken for debts of the person instead of being paid out';
        comment on column payable_earmarks.waits is 'no payout of it is on its way or arrived, and it is not netted';
        comment on column payable_earmarks.payout_id is 'the latest payout of it';
        create index payable_earmarks_waiting on payable_earmarks (tenant_id, user_id, currency) where waits;

        create table payable_nettings (
            tenant_id uuid not null,
            payslip_id uuid not null,
            number bigint not null,
            user_id uuid not null,
            currency text not null,
            amount numeric not null check (amount > 0),
            booked_at timestamptz not null,
            primary key (tenant_id, user_id, payslip_id, number),
            foreign key (tenant_id, payslip_id) references payable_earmarks (tenant_id, payslip_id)
        );
        comment on table payable_nettings is
            'how much of a payslip''s net was taken for debts of the person when its run was paid';
        comment on column payable_nettings.number is 'the person''s last ledger line by then';

        alter table payouts add column payslip_id uuid, add column payroll_run_id uuid,
            add foreign key (tenant_id, payslip_id) references payable_earmarks (tenant_id, payslip_id),
            add check ((payslip_id is null) = (payroll_run_id is null));
        comment on column payouts.payslip_id is 'the payslip that it pays, and nothing else; null: whatever was owed';
        alter table payouts drop constraint payouts_kind_check;
        alter table payouts add constraint payouts_kind_check
            check (kind in ('advance', 'final', 'retry', 'matched', 'payroll'));
        create index payouts_in_flight on payouts (tenant_id, user_id, currency)
            where status in ('held', 'queued', 'sending', 'unknown', 'review');
        create index payouts_of_a_run on payouts (tenant_id, payroll_run_id)
            where payroll_run_id is not null and status in ('held', 'queued', 'sending', 'unknown', 'review');

        alter table payout_destinations drop constraint payout_destinations_kind_check;
        alter table payout_destinations add constraint payout_destinations_kind_check
            check (kind in ('iban', 'account', 'simulated', 'manual'));

        alter table payroll_runs drop constraint payroll_runs_status_check;
        alter table payroll_runs add constraint payroll_runs_status_check
            check (status in ('draft', 'calculated', 'approved', 'partly_paid', 'paid', 'cancelled'));
    """)
    _widen_run_states()
    protect("payable_earmarks", grants="select, insert, update (netted, waits, payout_id)")
    protect("payable_nettings", grants="select, insert")
    run("""
        -- What a payout pays: lines that sum to its amount. One of a payslip pays the payslip's net, less what was
        -- netted. Any other pays what was booked since the one before, but for what belongs to payslips that have
        -- payouts of their own; what was netted of those comes in.
        create function payout_lines(of_tenant uuid, of_payout uuid)
        returns table (number bigint, subject_id uuid, event text, amount numeric, booked_at timestamptz)
        language sql stable as $$
            select e.number, e.subject_id, e.event,
                case e.credit when 'payable' then e.amount else -e.amount end, e.booked_at
            from payouts p
            join ledger_entries e on e.tenant_id = of_tenant and e.user_id = p.user_id and e.currency = p.currency
                and e.number > p.after_number and e.number <= p.through_number and 'payable' in (e.debit, e.credit)
            where p.tenant_id = of_tenant and p.id = of_payout
              and (p.payslip_id is not null
                or case e.event
                    when 'payroll' then not exists (
                        select from payable_earmarks k where k.tenant_id = of_tenant and k.payslip_id = e.subject_id)
                    when 'payout' then not exists (
                        select from payouts o
                        where o.tenant_id = of_tenant and o.id = e.subject_id and o.payslip_id is not null)
                    when 'release' then not exists (
                        select from payouts o
                        where o.tenant_id = of_tenant and o.id = e.subject_id and o.payslip_id is not null)
                    else true end)
            union all
            select n.number, n.payslip_id, 'netted', n.amount, n.booked_at
            from payouts p
            join payable_nettings n on n.tenant_id = of_tenant and n.user_id = p.user_id and n.currency = p.currency
                and n.number > p.after_number and n.number <= p.through_number
            where p.tenant_id = of_tenant and p.id = of_payout and p.payslip_id is null
            union all
            select p.through_number, p.payslip_id, 'netted', p.amount - k.amount, p.created_at
            from payouts p
            join payable_earmarks k on k.tenant_id = of_tenant and k.payslip_id = p.payslip_id
            where p.tenant_id = of_tenant and p.id = of_payout and k.amount <> p.amount
        $$;
        grant execute on function payout_lines(uuid, uuid) to wagebook_app;
    """)
    declare_personal_data(
        [("payable_earmarks", "t.user_id = $1", "kept", MONEY), ("payable_nettings", "t.user_id = $1", "kept", MONEY)],
        [("payable_earmarks", "currency", "none", ""), ("payable_nettings", "currency", "none", "")],
    )
    with as_owner_of_rows("payroll_runs", "payslips", "ledger_entries", "payouts", "payable_earmarks", "pay_periods"):
        _backfill()


def _widen_run_states() -> None:
    """Replace the checks of payroll_runs that name the states after approval by ones that know partly_paid."""
    run("""
        do $$
        declare old record;
        begin
            for old in
                select conname from pg_constraint
                where conrelid = 'payroll_runs'::regclass and contype = 'c'
                  and pg_get_constraintdef(oid) like '%approved%' and conname <> 'payroll_runs_status_check'
            loop
                execute format('alter table payroll_runs drop constraint %I', old.conname);
            end loop;
        end $$;
        alter table payroll_runs
            add constraint payroll_runs_approved_check
                check ((status in ('approved', 'partly_paid', 'paid')) = (approved_at is not null)),
            add constraint payroll_runs_calculated_check
                check (status not in ('calculated', 'approved', 'partly_paid', 'paid')
                    or (plan is not null and calculated_at is not null));

        create or replace function payslips_are_fixed() returns trigger
        language plpgsql as $$
        begin
            if exists (
                select from before b join payroll_runs r on r.tenant_id = b.tenant_id and r.id = b.run_id
                where r.approved_at is not null
            ) then
                raise exception 'payslips of an approved run are never deleted';
            end if;
            return null;
        end $$;

        -- whose net below 0 is carried into no payslip yet is not erased, in a run that is paid in part either
        do $$
        begin
            execute replace(pg_get_functiondef('person_erasure_refused'::regproc),
                'r.status = ''paid'' and p.net < 0', 'r.status in (''partly_paid'', ''paid'') and p.net < 0');
        end $$;
    """)


def _backfill() -> None:
    """Keep the runs that exist sensible.

    A run that was handed to payouts is paid, as it said: whatever of it is still owed is paid by runs of payouts. Of a
    run that is only approved, the net of whoever had no payout since is earmarked for its pay; where nobody is left,
    because runs of payouts paid all of it, the run and its period are paid.
    """
    run("""
        insert into payable_earmarks (tenant_id, run_id, user_id, payslip_id, currency, amount)
        select p.tenant_id, p.run_id, p.user_id, p.id, p.currency, p.net
        from payroll_runs r
        join payslips p on p.tenant_id = r.tenant_id and p.run_id = r.id and p.net > 0
        join ledger_entries e on e.tenant_id = p.tenant_id and e.subject_id = p.id and e.event = 'payroll'
            and e.revision = 1 and e.line = 1
        where r.status = 'approved' and not exists (
            -- whichever payout came next took all there was
            select from payouts o
            where o.tenant_id = p.tenant_id and o.user_id = p.user_id and o.currency = p.currency
              and o.kind <> 'matched' and o.through_number >= e.number);

        create temporary table paid_already on commit drop as
            select r.tenant_id, r.id from payroll_runs r
            where r.status = 'approved' and r.posted_at is not null
              and not exists (
                select from payable_earmarks k where k.tenant_id = r.tenant_id and k.run_id = r.id);
        update payroll_runs r set status = 'paid', paid_at = now(), paid_by = 'migration'
        from paid_already p where r.tenant_id = p.tenant_id and r.id = p.id;
        update pay_periods d set status = 'paid'
        from paid_already p where d.tenant_id = p.tenant_id and d.payroll_run_id = p.id;
    """)
