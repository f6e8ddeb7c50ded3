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
            changed_at timestamptz not null default clock_timestamp(),
            computing_since timestamptz,
            computed_at timestamptz,
            computed_as_of date,
            is_stale boolean not null generated always as (computed_at is null or changed_at > computed_at) stored,
            decided_under text,
            primary key (tenant_id, month)
        );
        comment on column pay_periods.decided_under is
            'full:half minutes under which its attendance was decided; null: must be decided again';
        comment on column pay_periods.is_stale is 'facts changed since it was last computed as a whole';

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
            unique nulls not distinct (tenant_id, month, user_id, day, what),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, month) references pay_periods
        );
        comment on column late_corrections.user_id is 'null: everybody, as after a change of the calendar';

        create table pay_registers (
            tenant_id uuid not null,
            month text not null,
            user_id uuid not null,
            as_of date not null,
            halves text not null check (length(halves) between 56 and 62),
            payable bigint not null,
            working bigint not null,
            manual bigint not null,
            recorded bigint not null,
            rostered bigint not null,
            lead_payable bigint not null default 0,
            lead_working bigint not null default 0,
            tail_working bigint not null default 0,
            present_days numeric(4, 1) not null,
            od_days numeric(4, 1) not null,
            absent_days numeric(4, 1) not null,
            paid_leave_days numeric(4, 1) not null,
            lop_days numeric(4, 1) not null,
            holidays numeric(4, 1) not null,
            week_offs numeric(4, 1) not null,
            blank_days numeric(4, 1) not null,
            extra_days numeric(6, 2) not null,
            payable_shifts numeric(8, 3) not null,
            ot_hours numeric(6, 2) not null,
            late_count smallint not null,
            late_minutes integer not null,
            early_out_count smallint not null,
            early_out_minutes integer not null,
            units numeric(4, 2) not null,
            day_units integer[],
            day_late integer[],
            day_early_out integer[],
            day_ot integer[],
            day_extra integer[],
            leave_halves jsonb,
            day_remarks jsonb,
            -- a projection, which can be dropped and made again: foreign keys would only cost, twice per row
            primary key (tenant_id, month, user_id)
        );
    """)
    run("""
        -- A mask has one bit per half of a span of at most 31 days, the last half lowest, so that its bits read in the
        -- order of the calendar. These are what masks are made of and read with.
        create function halves_of(first_on date, last_on date, start_on date, end_on date) returns bigint
        language sql immutable parallel safe as $$
            select case when least(last_on, end_on) < greatest(first_on, start_on) then 0
                else ((1::bigint << 2 * (least(last_on, end_on) - greatest(first_on, start_on) + 1)) - 1)
                     << 2 * (end_on - least(last_on, end_on)) end
        $$;

        create function first_halves() returns bigint
        language sql immutable parallel safe as $$ select 0x2AAAAAAAAAAAAAAA::bigint $$;

        create function second_halves() returns bigint
        language sql immutable parallel safe as $$ select 0x1555555555555555::bigint $$;

        create function days_in(mask bigint) returns numeric
        language sql immutable parallel safe as $$ select bit_count(mask::bit(64)) * 0.5 $$;

        create function halves_coded(halves text, codes text) returns bigint
        language sql immutable parallel safe as $$
            select lpad(translate(halves, '-PALUOHW', codes), 64, '0')::bit(64)::bigint
        $$;
        comment on function halves_coded is
            'the mask of halves whose code has a 1 at its place: halves_coded(h, ''01000100'') is present or od';
    """)
    run("""
        -- Packed days as date -> value: 10000 * (days since the period's first) + value in so many parts.
        create function unpacked(packed integer[], start_on date, parts integer) returns jsonb
        language sql immutable parallel safe as $$
            select jsonb_object_agg(start_on + d / 10000, trim_scale(round(d % 10000 / parts::numeric, 2)))
            from unnest(packed) d
        $$;

        -- Leave type -> days, from leave type -> halves.
        create function leave_days_of(leave_halves jsonb) returns jsonb
        language sql immutable parallel safe as $$
            select jsonb_object_agg(key, jsonb_array_length(value) * 0.5) from jsonb_each(leave_halves)
        $$;

        -- A register row's totals, as everybody is told them: the one place where they are named and put together.
        -- (One expression without a subquery, so that PostgreSQL puts it in the place of the call.)
        create function register_totals(r pay_registers) returns json
        language sql stable parallel safe as $$
            select json_build_object(
                'present_days', r.present_days, 'od_days', r.od_days, 'absent_days', r.absent_days,
                'paid_leave_days', r.paid_leave_days, 'lop_days', r.lop_days,
                'leave_days', r.paid_leave_days + r.lop_days, 'holidays', r.holidays, 'week_offs', r.week_offs,
                'blank_days', r.blank_days, 'extra_days', r.extra_days, 'payable_shifts', r.payable_shifts,
                'ot_hours', r.ot_hours, 'late_count', r.late_count, 'late_minutes', r.late_minutes,
                'early_out_count', r.early_out_count, 'early_out_minutes', r.early_out_minutes,
                'leave_by_type', case when r.leave_halves is null then '{}' else leave_days_of(r.leave_halves) end)
        $$;
    """)
    for table in ("pay_periods", "late_corrections", "pay_registers"):
        protect(table)
    protect("day_edits", grants="select, insert, update")
