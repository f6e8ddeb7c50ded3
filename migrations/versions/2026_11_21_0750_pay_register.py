"""Pay periods, edits by hand, and the register that is projected from the facts."""

from migrations.helpers import protect, run

revision = "2026_11_21_0750"
down_revision = "2026_11_21_0740"


def upgrade() -> None:
    run("""
        create table pay_periods (
            tenant_id uuid not null references tenants,
            month text not null check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
            start_on date not null,
            end_on date not null check (end_on - start_on between 27 and 30),
            status text not null default 'open' check (status in ('open', 'locked', 'paid')),
            locked_at timestamptz,
            is_stale boolean not null default false,
            decided_under text,
            primary key (tenant_id, month)
        );
        comment on column pay_periods.decided_under is
            'full:half minutes under which its attendance was decided; null: must be decided again';
        comment on column pay_periods.is_stale is 'facts of a past period changed since it was last computed';

        create table day_edits (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            day date not null,
            first_code text check (first_code ~ '^[-PALUOHW]$'),
            first_leave_type_id uuid,
            second_code text check (second_code ~ '^[-PALUOHW]$'),
            second_leave_type_id uuid,
            ot_hours numeric(4, 2) check (ot_hours between 0 and 24),
            extra_days numeric(4, 2) check (extra_days between 0 and 10),
            remarks text,
            edited_by text not null,
            edited_at timestamptz not null,
            superseded_by text,
            superseded_at timestamptz,
            primary key (tenant_id, id),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, first_leave_type_id) references leave_types,
            foreign key (tenant_id, second_leave_type_id) references leave_types
        );
        create unique index day_edits_in_force on day_edits (tenant_id, user_id, day) where superseded_at is null;
        create index day_edits_history on day_edits (tenant_id, user_id, day, id);

        create table late_corrections (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            month text not null,
            user_id uuid,
            day date not null,
            what text not null,
            noted_at timestamptz not null,
            primary key (tenant_id, id),
            unique nulls not distinct (tenant_id, user_id, day, what),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, month) references pay_periods
        );
        comment on column late_corrections.user_id is 'null: everybody, as after a change of the calendar';

        create table pay_registers (
            tenant_id uuid not null,
            month text not null,
            user_id uuid not null,
            as_of date not null,
            halves text not null,
            manual bigint not null,
            recorded bigint not null,
            rostered bigint not null,
            payable bigint not null,
            paid_off bigint not null,
            working bigint not null,
            lead_payable bigint not null default 0,
            lead_working bigint not null default 0,
            present_days numeric(4, 1) not null,
            od_days numeric(4, 1) not null,
            absent_days numeric(4, 1) not null,
            paid_leave_days numeric(4, 1) not null,
            lop_days numeric(4, 1) not null,
            holidays numeric(4, 1) not null,
            week_offs numeric(4, 1) not null,
            blank_days numeric(4, 1) not null,
            extra_days numeric(5, 2) not null default 0,
            payable_shifts numeric(6, 2) not null,
            ot_hours numeric(6, 2) not null default 0,
            late_count smallint not null default 0,
            late_minutes integer not null default 0,
            early_out_count smallint not null default 0,
            early_out_minutes integer not null default 0,
            units numeric(4, 2) not null default 1,
            day_units integer[],
            day_ot integer[],
            day_late integer[],
            day_early_out integer[],
            day_extra integer[],
            day_leave jsonb,
            day_remarks jsonb,
            primary key (tenant_id, month, user_id),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, month) references pay_periods on delete cascade
        );
    """)
    for table in ("pay_periods", "late_corrections", "pay_registers"):
        protect(table)
    protect("day_edits", grants="select, insert, update")
