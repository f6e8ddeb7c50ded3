"""What happened: attendance, leave, on-duty, overtime."""

from migrations.helpers import protect, run

revision = "2026_11_21_0720"
down_revision = "2026_11_21_0710"


def upgrade() -> None:
    run("""
        create table attendance (
            tenant_id uuid not null,
            user_id uuid not null,
            day date not null,
            present smallint not null default 0 check (present between 0 and 3),
            late_minutes smallint not null default 0 check (late_minutes between 0 and 1440),
            early_out_minutes smallint not null default 0 check (early_out_minutes between 0 and 1440),
            check_in_at timestamptz,
            check_out_at timestamptz check (check_out_at >= check_in_at),
            session_started_at timestamptz,
            worked_minutes smallint check (worked_minutes between 0 and 2880),
            stated text check (stated in ('present', 'absent', 'half_day')),
            stated_half text check (stated_half in ('first', 'second')),
            source text not null check (source in ('punch', 'import', 'correction')),
            version integer not null default 1,
            -- the columns that the register reads ride along in the key, so that its scan never visits the table
            primary key (tenant_id, user_id, day) include (present, late_minutes, early_out_minutes),
            foreign key (tenant_id, user_id) references users
        );
        comment on column attendance.present is
            'halves that count as present, decided when the row is written: 0 none, 2 the first, 1 the second, 3 both';

        create table leave_types (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            is_paid boolean not null default true,
            counts_non_working_days boolean not null default false,
            version integer not null default 1,
            primary key (tenant_id, id),
            unique (tenant_id, name)
        );

        create table leave_days (
            tenant_id uuid not null,
            user_id uuid not null,
            day date not null,
            half text not null check (half in ('first', 'second')),
            leave_type_id uuid not null,
            nature text not null check (nature in ('paid', 'lop')),
            counts_non_working boolean not null default false,
            request_id uuid,
            primary key (tenant_id, user_id, day, half),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, leave_type_id) references leave_types
        );

        create table on_duty (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            start_on date not null,
            end_on date not null check (end_on >= start_on),
            half text check (half in ('first', 'second')),
            reason text,
            status text not null default 'pending' check (status in ('pending', 'approved', 'rejected', 'cancelled')),
            decided_by uuid,
            decided_at timestamptz,
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            foreign key (tenant_id, user_id) references users
        );
        create index on_duty_by_user on on_duty (tenant_id, user_id, start_on);

        create table overtime (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            day date not null,
            hours numeric(4, 2) not null check (hours > 0 and hours <= 24),
            reason text,
            status text not null default 'pending' check (status in ('pending', 'approved', 'rejected', 'cancelled')),
            decided_by uuid,
            decided_at timestamptz,
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            foreign key (tenant_id, user_id) references users
        );
        create index overtime_by_user on overtime (tenant_id, user_id, day);
    """)
    for table in ("attendance", "leave_types", "leave_days", "on_duty", "overtime"):
        protect(table)
