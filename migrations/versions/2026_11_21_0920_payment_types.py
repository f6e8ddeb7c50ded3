"""Components of pay that admins define, in versions, and whom they are for."""

from migrations.helpers import protect, run

revision = "2026_11_21_0920"
down_revision = "2026_11_21_0910"


def upgrade() -> None:
    run("""
        create table payment_types (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            code text not null check (code ~ '^[a-z][a-z0-9_]*$'),
            name text not null,
            description text,
            category text not null check (category in ('earning', 'deduction', 'tax', 'benefit')),
            calculation text not null check (calculation in ('fixed', 'percentage', 'formula', 'dynamic')),
            applies_to_all boolean not null default false,
            is_active boolean not null default true,
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, code)
        );
        comment on table payment_types is 'components of a payslip';
        comment on column payment_types.code is 'what formulas know it by; it never changes';

        create table payment_type_versions (
            tenant_id uuid not null,
            type_id uuid not null,
            number integer not null check (number > 0),
            effective_from date not null,
            amount numeric check (amount >= 0),
            currency text,
            percent numeric check (percent between 0 and 1000),
            base text,
            formula text,
            created_by text not null,
            created_at timestamptz not null,
            primary key (tenant_id, type_id, number),
            foreign key (tenant_id, type_id) references payment_types,
            -- what a fixed one, a percentage and a formula have; a dynamic one has nothing
            check (num_nulls(amount, currency) in (0, 2)),
            check (num_nulls(percent, base) in (0, 2)),
            check (num_nonnulls(amount, percent, formula) <= 1)
        );
        comment on table payment_type_versions is
            'how much a component is: in force on a day is the last by effective_from, then number, that has begun';
        comment on column payment_type_versions.percent is '12.5 is 12.5 %';
        comment on column payment_type_versions.base is 'a variable of pay or the code of another component';

        create table payment_type_assignments (
            tenant_id uuid not null,
            user_id uuid not null,
            type_id uuid not null,
            effective_from date not null,
            effective_to date,
            applies boolean not null default true,
            amount numeric check (amount >= 0),
            percent numeric check (percent between 0 and 1000),
            changed_by text not null,
            changed_at timestamptz not null,
            primary key (tenant_id, user_id, type_id, effective_from),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, type_id) references payment_types,
            check (effective_to >= effective_from),
            check (num_nonnulls(amount, percent) <= case when applies then 1 else 0 end)
        );
        comment on table payment_type_assignments is
            'in force on a day is the last to begin of those begun and not ended; none: as applies_to_all says';
        comment on column payment_type_assignments.applies is 'no: it is not for this person, whoever else has it';
        comment on column payment_type_assignments.amount is 'stands in for what a fixed one or a formula comes to';
        comment on column payment_type_assignments.percent is 'stands in for the percent of a percentage';
        create index payment_type_assignments_by_type on payment_type_assignments (tenant_id, type_id);
    """)
    protect("payment_types", grants="select, insert, update")
    # a payslip names the version that it was made with
    protect("payment_type_versions", grants="select, insert")
    protect("payment_type_assignments", grants="select, insert, update")
