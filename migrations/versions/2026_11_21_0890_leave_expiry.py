"""Leave expiry: who was warned of what, and the one-off amounts that encashed days become."""

from migrations.helpers import protect, run

revision = "2026_11_21_0890"
down_revision = "2026_11_21_0880"


def upgrade() -> None:
    run("""
        -- One row per allocation and step of its rule's ladder that is over: told, or passed unsaid because a nearer
        -- step was due already. A step that is here is never told again.
        create table leave_warnings (
            tenant_id uuid not null,
            allocation_id uuid not null,
            step smallint not null check (step >= 0),
            is_told boolean not null,
            days numeric(6, 1) not null check (days > 0),
            expires_on date not null,
            warned_on date not null,
            primary key (tenant_id, allocation_id, step),
            foreign key (tenant_id, allocation_id) references leave_allocations
        );

        -- Days that came back after their allocation had expired; those not yet expired have an index of their own.
        create index leave_allocations_left_over on leave_allocations (tenant_id, expires_on)
            where expired_at is not null and remaining_days > 0;

        create table payroll_adjustments (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            kind text not null check (kind in ('leave_encashment', 'bonus', 'fine', 'other')),
            amount numeric not null check (amount <> 0),
            currency text not null references currencies,
            reason text not null,
            effective_on date not null,
            explanation jsonb,
            source_type text,
            source_id text,
            payslip_id uuid,
            paid_at timestamptz,
            created_by text not null,
            created_at timestamptz not null,
            primary key (tenant_id, id),
            unique (tenant_id, source_type, source_id),
            foreign key (tenant_id, user_id) references users,
            check ((source_type is null) = (source_id is null)),
            check (case kind when 'fine' then amount < 0 when 'other' then true else amount > 0 end)
        );
        comment on column payroll_adjustments.amount is
            'above 0 the person is paid it, below 0 it is taken off their pay';
        comment on column payroll_adjustments.source_id is 'of what it comes from: one adjustment each, ever';
        create index payroll_adjustments_by_user on payroll_adjustments (tenant_id, user_id, id);
        create index payroll_adjustments_open on payroll_adjustments (tenant_id, id) where paid_at is null;
    """)
    protect("leave_warnings", grants="select, insert")
    protect("payroll_adjustments", grants="select, insert")
