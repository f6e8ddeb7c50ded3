"""Leave: what people are given, what they ask for, and a ledger of every half day between."""

from migrations.helpers import protect, run

revision = "2026_11_21_0880"
down_revision = "2026_11_21_0870"


def upgrade() -> None:
    run("""
        create table leave_expiry_rules (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            description text,
            expire_after_days smallint check (expire_after_days between 0 and 3660),
            expiry_date_formula text,
            notification_days smallint[] not null default '{}',
            action text not null default 'delete'
                check (action in ('delete', 'convert_to_cash', 'transfer_to_next_cycle')),
            is_active boolean not null default true,
            version integer not null default 1,
            primary key (tenant_id, id),
            unique (tenant_id, name),
            check (expire_after_days is null or expiry_date_formula is null)
        );

        alter table leave_types
            add description text,
            add color text check (color ~ '^#[0-9a-f]{6}$'),
            add days_per_year numeric(5, 1) not null default 0 check (days_per_year between 0 and 366),
            add is_limited boolean not null default true,
            add allow_carryover boolean not null default false,
            add carryover_limit numeric(5, 1) check (carryover_limit >= 0),
            add expiry_rule_id uuid,
            add notice_days smallint not null default 0 check (notice_days between 0 and 366),
            add is_active boolean not null default true,
            add foreign key (tenant_id, expiry_rule_id) references leave_expiry_rules;
        comment on column leave_types.is_limited is 'false: may be taken without an allocation, such as unpaid leave';

        create table leave_allocations (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            leave_type_id uuid not null,
            cycle_start_on date not null,
            cycle_end_on date not null check (cycle_end_on >= cycle_start_on),
            allocated_days numeric(5, 1) not null default 0 check (allocated_days >= 0),
            carried_days numeric(5, 1) not null default 0 check (carried_days >= 0),
            pending_days numeric(5, 1) not null default 0 check (pending_days >= 0),
            used_days numeric(5, 1) not null default 0 check (used_days >= 0),
            lapsed_days numeric(5, 1) not null default 0 check (lapsed_days >= 0),
            encashed_days numeric(5, 1) not null default 0 check (encashed_days >= 0),
            transferred_days numeric(5, 1) not null default 0 check (transferred_days >= 0),
            remaining_days numeric(6, 1) not null generated always as (
                allocated_days + carried_days - pending_days - used_days
                - lapsed_days - encashed_days - transferred_days) stored,
            expires_on date,
            expired_at timestamptz,
            notes text,
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, user_id, leave_type_id, cycle_start_on),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, leave_type_id) references leave_types,
            constraint leave_allocations_never_overspent check (remaining_days >= 0)
        );
        comment on column leave_allocations.expires_on is 'last day on which the days may be used; null: never ends';
        comment on column leave_allocations.expired_at is 'when the rule''s action was taken for what was left';
        create index leave_allocations_to_expire on leave_allocations (tenant_id, expires_on)
            where expires_on is not null and expired_at is null;

        create table leave_requests (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            leave_type_id uuid not null,
            start_on date not null,
            end_on date not null check (end_on >= start_on),
            start_half text not null default 'first' check (start_half in ('first', 'second')),
            end_half text not null default 'second' check (end_half in ('first', 'second')),
            days numeric(5, 1) not null check (days >= 0),
            is_limited boolean not null default true,
            reason text,
            status text not null default 'pending' check (status in ('pending', 'approved', 'rejected', 'cancelled')),
            notes text,
            decided_by uuid,
            decided_at timestamptz,
            submission_id uuid,
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, leave_type_id) references leave_types,
            check ((start_on, start_half) <= (end_on, end_half))
        );
        comment on column leave_requests.submission_id is 'the form submission that asked; null: asked directly';
        comment on column leave_requests.is_limited is
            'its days are taken from allocations: as its type said when it was asked for, or approved';
        comment on column leave_requests.start_half is 'second: the first day''s first half is worked';
        comment on column leave_requests.end_half is 'first: the last day''s second half is worked';
        create index leave_requests_by_user on leave_requests (tenant_id, user_id, start_on);
        create unique index leave_requests_by_submission on leave_requests (tenant_id, submission_id)
            where submission_id is not null and status in ('pending', 'approved');

        alter table leave_days add is_counted boolean not null default true;
        comment on column leave_days.is_counted is 'the half was taken from the person''s days when it was approved';
        create index leave_days_by_request on leave_days (tenant_id, request_id) where request_id is not null;

        create table leave_entries (
            tenant_id uuid not null,
            number bigint not null generated always as identity,
            allocation_id uuid not null,
            bucket text not null
                check (bucket in ('allocated', 'carried', 'pending', 'used', 'lapsed', 'encashed', 'transferred')),
            days numeric(5, 1) not null check (days <> 0 and days * 2 = trunc(days * 2)),
            cause text not null,
            request_id uuid,
            booked_at timestamptz not null,
            booked_by text not null,
            primary key (tenant_id, allocation_id, number),
            unique (tenant_id, allocation_id, bucket, cause),
            foreign key (tenant_id, allocation_id) references leave_allocations,
            foreign key (tenant_id, request_id) references leave_requests
        );
        comment on column leave_entries.cause is
            'why, once for each bucket of an allocation: allocated/<n>, request/<id>/<version>, ...';
        create index leave_entries_by_request on leave_entries (tenant_id, request_id) where request_id is not null;

        -- An allocation's days follow its entries, in the same statement and by nobody else's hand: the application may
        -- not write them. What would overspend breaks the allocation's own constraint.
        create function leave_keep() returns trigger
        language plpgsql security definer set search_path = public, pg_temp as $$
        begin
            update leave_allocations a set
                allocated_days = a.allocated_days + s.allocated, carried_days = a.carried_days + s.carried,
                pending_days = a.pending_days + s.pending, used_days = a.used_days + s.used,
                lapsed_days = a.lapsed_days + s.lapsed, encashed_days = a.encashed_days + s.encashed,
                transferred_days = a.transferred_days + s.transferred
            from (
                select tenant_id, allocation_id,
                    coalesce(sum(days) filter (where bucket = 'allocated'), 0) as allocated,
                    coalesce(sum(days) filter (where bucket = 'carried'), 0) as carried,
                    coalesce(sum(days) filter (where bucket = 'pending'), 0) as pending,
                    coalesce(sum(days) filter (where bucket = 'used'), 0) as used,
                    coalesce(sum(days) filter (where bucket = 'lapsed'), 0) as lapsed,
                    coalesce(sum(days) filter (where bucket = 'encashed'), 0) as encashed,
                    coalesce(sum(days) filter (where bucket = 'transferred'), 0) as transferred
                from added group by 1, 2
            ) s
            where a.tenant_id = s.tenant_id and a.id = s.allocation_id;
            return null;
        end $$;

        -- Cycles of one person and leave type never overlap. An exclusion constraint would say the same, row by row and
        -- for three times the cost of giving thousands their days; here whoever gives days waits for others of the
        -- tenant who do, and what they gave is looked at together.
        create function leave_wait_to_allocate() returns trigger language plpgsql as $$
        begin
            perform pg_advisory_xact_lock(hashtextextended(
                'leave_allocations/' || current_setting('app.tenant_id', true), 0));
            return null;
        end $$;

        create function leave_keep_apart() returns trigger language plpgsql as $$
        declare
            twice record;
        begin
            select n.user_id, n.cycle_start_on, n.cycle_end_on into twice
            from added n
            join leave_allocations a on a.tenant_id = n.tenant_id and a.user_id = n.user_id
                and a.leave_type_id = n.leave_type_id and a.id <> n.id
                and a.cycle_start_on <= n.cycle_end_on and a.cycle_end_on >= n.cycle_start_on
            limit 1;
            if found then
                raise exception 'the cycle from % to % of % overlaps with another one',
                        twice.cycle_start_on, twice.cycle_end_on, twice.user_id
                    using errcode = 'exclusion_violation', table = 'leave_allocations',
                        constraint = 'leave_allocations_apart';
            end if;
            return null;
        end $$;

        create trigger wait before insert on leave_allocations
            for each statement execute function leave_wait_to_allocate();
        create trigger apart after insert on leave_allocations
            referencing new table as added for each statement execute function leave_keep_apart();

        create function leave_is_append_only() returns trigger language plpgsql as $$
        begin
            raise exception 'leave entries are never changed or deleted; book the reverse';
        end $$;

        create trigger days after insert on leave_entries
            referencing new table as added for each statement execute function leave_keep();
        create trigger keep before update or delete on leave_entries
            for each row execute function leave_is_append_only();
        create trigger keep_all before truncate on leave_entries
            for each statement execute function leave_is_append_only();
    """)
    protect("leave_expiry_rules")
    protect("leave_requests", grants="select, insert, update")
    protect(
        "leave_allocations",
        grants="select, insert (tenant_id, id, user_id, leave_type_id, cycle_start_on, cycle_end_on, expires_on, notes,"
        " created_at),"
        " update (expires_on, expired_at, notes, version)",
    )
    protect(
        "leave_entries",
        grants="select, insert (tenant_id, allocation_id, bucket, days, cause, request_id, booked_at, booked_by)",
    )
    run("""
        -- One row per day: the halves that an employee's calendar wants worked, whether employed on it or not: 0 none,
        -- 2 the first, 1 the second, 3 both. It says what the pay register's `working` mask says (roster first, then
        -- branch, then tenant; a branch's own row for a date replaces the tenant's; a holiday or day off that somebody
        -- gave by hand is one), so that a day of leave is the same day in both. A single query, which PostgreSQL puts
        -- in the place of the call.
        create function calendar_halves(of_tenant uuid, of_user uuid, first date, last date)
        returns table (day date, halves smallint) language sql stable parallel safe as $$
            select d.day,
                (3 & ~(
                    case when r.day is not null then r.off
                        when extract(isodow from d.day)::smallint = any (coalesce(b.weekend, t.weekend)) then 3
                        else 0 end
                    | case when r.works_holidays then 0 else coalesce(h.halves, 0) end
                    | case when m.first_code in ('H', 'W') then 2 else 0 end
                    | case when m.second_code in ('H', 'W') then 1 else 0 end))::smallint
            from tenants t
            left join employments e on e.tenant_id = t.id and e.user_id = of_user
            left join branches b on b.tenant_id = t.id and b.id = e.branch_id
            cross join lateral (select first + n from generate_series(0, last - first) n) d (day)
            left join roster_days r on r.tenant_id = t.id and r.user_id = of_user and r.day = d.day
            left join day_edits m on m.tenant_id = t.id and m.user_id = of_user and m.day = d.day
                and m.superseded_at is null
            left join lateral (
                select case h.half when 'first' then 2 when 'second' then 1 else 3 end as halves
                from holidays h
                where h.tenant_id = t.id and h.day = d.day
                  and (h.branch_id = b.id or (h.branch_id is null and b.own_holidays is not true))
                order by h.branch_id nulls last
                limit 1
            ) h on true
            where t.id = of_tenant
        $$;

        -- The same, and 0 on days outside the employment.
        create function working_halves(of_tenant uuid, of_user uuid, first date, last date)
        returns table (day date, halves smallint) language sql stable parallel safe as $$
            select c.day, case when e.user_id is null then 0::smallint else c.halves end
            from calendar_halves(of_tenant, of_user, first, last) c
            left join employments e on e.tenant_id = of_tenant and e.user_id = of_user
                and e.joined_on <= c.day and (e.left_on is null or e.left_on >= c.day)
        $$;
    """)
