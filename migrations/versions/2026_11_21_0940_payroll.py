"""Payroll runs and their payslips; the accounts, the locks and the marks that approving one needs."""

from migrations.helpers import protect, run

revision = "2026_11_21_0940"
down_revision = "2026_11_21_0930"


def upgrade() -> None:
    run("""
        create table payroll_runs (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            month text not null check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
            kind text not null check (kind in ('regular', 'off_cycle')),
            title text,
            status text not null default 'draft'
                check (status in ('draft', 'calculated', 'approved', 'paid', 'cancelled')),
            user_ids uuid[],
            payment_type_ids uuid[],
            calculation integer not null default 0,
            job_id uuid,
            plan jsonb,
            calculated_since timestamptz,
            calculated_at timestamptz,
            summary jsonb,
            created_by text not null,
            created_at timestamptz not null,
            calculated_by text,
            calculated_by_user_id uuid,
            approved_by text,
            approved_at timestamptz,
            posted_at timestamptz,
            paid_by text,
            paid_at timestamptz,
            cancelled_by text,
            cancelled_at timestamptz,
            cancel_reason text,
            primary key (tenant_id, id),
            check (kind = 'off_cycle' or (user_ids is null and payment_type_ids is null)),
            check ((status in ('approved', 'paid')) = (approved_at is not null)),
            check ((status = 'paid') = (paid_at is not null)),
            check ((status = 'cancelled') = (cancelled_at is not null)),
            check (status not in ('calculated', 'approved', 'paid') or (plan is not null and calculated_at is not null))
        );
        comment on column payroll_runs.plan is
            'what it was calculated with: the terms (settings, pay policy), the inputs by name and the components';
        comment on column payroll_runs.calculation is 'counts calculations up; a message of an older one does nothing';
        create unique index payroll_runs_regular on payroll_runs (tenant_id, month)
            where kind = 'regular' and status <> 'cancelled';

        create table payslips (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            run_id uuid not null,
            user_id uuid not null,
            currency text not null,
            inputs numeric[] not null,
            amounts numeric[] not null,
            given jsonb,
            warnings jsonb,
            anomalies text[],
            gross numeric not null check (gross >= 0),
            deductions numeric not null check (deductions >= 0),
            taxes numeric not null check (taxes >= 0),
            benefits numeric not null check (benefits >= 0),
            net numeric not null check (net = gross - deductions - taxes),
            previous_net numeric,
            calculated_at timestamptz not null,
            carried_into uuid,
            primary key (tenant_id, run_id, user_id),
            unique (tenant_id, id)
        );
        comment on table payslips is
            'written in bulk from a run''s own row, and no run is ever deleted: a foreign key would only cost';
        comment on column payslips.inputs is 'one for each of the plan''s inputs; null: there was no value';
        comment on column payslips.amounts is 'one for each of the plan''s components; null: it is not for this person';
        comment on column payslips.net is 'below 0 nothing is paid, and what is missing is deducted by the next run';
        comment on column payslips.carried_into is 'the approved payslip that deducted what was missing here';
        create index payslips_to_carry on payslips (tenant_id, user_id) where net < 0 and carried_into is null;
        create index payslips_anomalous on payslips (tenant_id, run_id) where anomalies is not null;

        create table payslip_one_offs (
            tenant_id uuid not null,
            run_id uuid not null,
            user_id uuid not null,
            number smallint not null,
            kind text not null check (kind in ('arrears', 'adjustment', 'carried_over')),
            category text not null check (category in ('earning', 'deduction')),
            name text not null,
            amount numeric not null check (amount >= 0),
            month text,
            adjustment_id uuid,
            payslip_id uuid,
            gross numeric,
            deductions numeric,
            taxes numeric,
            detail jsonb,
            primary key (tenant_id, run_id, user_id, number),
            foreign key (tenant_id, run_id, user_id) references payslips on delete cascade,
            foreign key (tenant_id, adjustment_id) references payroll_adjustments,
            check ((kind = 'arrears') = (month is not null and gross is not null and deductions is not null
                and taxes is not null)),
            check ((kind = 'adjustment') = (adjustment_id is not null)),
            check ((kind = 'carried_over') = (payslip_id is not null))
        );
        comment on table payslip_one_offs is 'lines of a payslip that no component made';
        comment on column payslip_one_offs.month is 'of arrears: the period that is paid anew';
        comment on column payslip_one_offs.gross is
            'of arrears: by how much that period''s gross (deductions, taxes) differ from what was paid';
        comment on column payslip_one_offs.payslip_id is 'of what is carried over: the payslip whose net was below 0';
        create index payslip_one_offs_arrears on payslip_one_offs (tenant_id, user_id, month) where kind = 'arrears';
        create index payslip_one_offs_adjustments on payslip_one_offs (tenant_id, adjustment_id)
            where kind = 'adjustment';

        create table payroll_amounts (
            tenant_id uuid not null,
            run_id uuid not null,
            user_id uuid not null,
            type_id uuid not null,
            amount numeric not null check (amount >= 0),
            given_by text not null,
            given_at timestamptz not null,
            primary key (tenant_id, run_id, user_id, type_id),
            foreign key (tenant_id, run_id) references payroll_runs,
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, type_id) references payment_types
        );
        comment on table payroll_amounts is 'what a dynamic component comes to for a person in one run';

        -- What was approved is what was paid: nothing of it is written over or thrown away. So what refers to an
        -- approved payslip (carried_into, payslip_id) needs no foreign key; each draft thrown away would pay for it.
        create function payslips_are_fixed() returns trigger
        language plpgsql as $$
        begin
            if exists (
                select from before b join payroll_runs r on r.tenant_id = b.tenant_id and r.id = b.run_id
                where r.status in ('approved', 'paid')
            ) then
                raise exception 'payslips of an approved run are never deleted';
            end if;
            return null;
        end $$;
        create trigger payslips_are_fixed after delete on payslips
            referencing old table as before for each statement execute function payslips_are_fixed();

        alter table pay_periods add column payroll_run_id uuid,
            add foreign key (tenant_id, payroll_run_id) references payroll_runs,
            add check (payroll_run_id is null or status <> 'open');
        comment on column pay_periods.payroll_run_id is 'the approved run that locked it for good';

        alter table late_corrections add column settled_at timestamptz;
        comment on column late_corrections.settled_at is
            'when the calculation began that paid it; null, or before noted_at: the next run pays the difference';
        create index late_corrections_open on late_corrections (tenant_id, month)
            where settled_at is null or noted_at > settled_at;

        alter table ledger_accounts drop constraint ledger_accounts_kind_check;
        alter table ledger_accounts add constraint ledger_accounts_kind_check check (kind in (
            'payable', 'advances', 'sales_cost', 'wage_cost', 'cash', 'taxes_withheld', 'deductions_withheld',
            'pay_carried'));

        grant update (payslip_id, paid_at) on payroll_adjustments to wagebook_app;
    """)
    protect("payroll_runs", grants="select, insert, update")
    protect("payslips", grants="select, insert, delete, update (carried_into)")
    protect("payslip_one_offs", grants="select, insert, delete")
    protect("payroll_amounts")
