"""Leave entries name the day they concern, so that the leave ledger and the pay register can be compared day by day."""

from migrations.helpers import as_owner_of_rows, run

revision = "2026_12_01_1090"
down_revision = "2026_12_01_1082"


def upgrade() -> None:
    run("""
        alter table leave_entries add column concerns_on date;
        comment on column leave_entries.concerns_on is
            'the day the entry is about: of leave for used and pending, else the first day on which it counts';
    """)
    with as_owner_of_rows("leave_entries", "leave_allocations", "leave_requests", "leave_days"):
        _backfill()
    run("""
        alter table leave_entries alter column concerns_on set not null;

        grant insert (concerns_on) on leave_entries to wagebook_app;

        alter table notification_logs drop constraint notification_logs_kind_check;
        alter table notification_logs add constraint notification_logs_kind_check check (kind in (
            'leave_expiry_warning', 'leave_requested', 'leave_approved', 'leave_rejected', 'leave_cancelled',
            'leave_recounted', 'destination_changed', 'email_changed', 'request_waiting', 'request_decided',
            'form_decided', 'payroll_ready', 'kpi_due', 'appraisal_reminder', 'custom'));

        -- One row per day: the halves in which leave would show in the register, as bits: 2 the first, 1 the second.
        -- `working`: for leave that spares holidays and days off; `any_day`: for leave that counts them too. A half
        -- outside the employment or set by hand is never one.
        create function open_to_leave(of_tenant uuid, of_user uuid, first date, last date)
        returns table (day date, working smallint, any_day smallint) language sql stable parallel safe as $$
            select c.day, (c.halves & o.halves)::smallint, o.halves
            from calendar_halves(of_tenant, of_user, first, last) c
            join employments e on e.tenant_id = of_tenant and e.user_id = of_user
                and e.joined_on <= c.day and (e.left_on is null or e.left_on >= c.day)
            left join day_edits m on m.tenant_id = of_tenant and m.user_id = of_user and m.day = c.day
                and m.superseded_at is null
            cross join lateral (
                select (case when m.first_code is null then 2 else 0 end
                    | case when m.second_code is null then 1 else 0 end)::smallint as halves
            ) o
        $$;

        -- One row per half of approved leave of some people (null: everybody): whether it uses a day up by the books,
        -- and by the facts as they are now.
        create function leave_halves(of_tenant uuid, of_users uuid[], first date, last date)
        returns table (user_id uuid, day date, half text, request_id uuid, leave_type_id uuid, nature text,
            is_limited boolean, is_counted boolean, is_wanted boolean) language sql stable parallel safe as $$
            with spans as (
                select l.user_id, min(l.day) as first_on, max(l.day) as last_on
                from leave_days l
                where l.tenant_id = of_tenant and (of_users is null or l.user_id = any(of_users))
                  and l.day between first and last and l.request_id is not null
                group by l.user_id
            ),
            free as (
                select s.user_id, o.*
                from spans s
                cross join lateral open_to_leave(of_tenant, s.user_id, s.first_on, s.last_on) o
            )
            select l.user_id, l.day, l.half, l.request_id, l.leave_type_id, l.nature, r.is_limited, l.is_counted,
                coalesce(case when l.counts_non_working then o.any_day else o.working end, 0)
                    & case l.half when 'first' then 2 else 1 end > 0
            from spans s
            join leave_days l on l.tenant_id = of_tenant and l.user_id = s.user_id
                and l.day between s.first_on and s.last_on and l.request_id is not null
            join leave_requests r on r.tenant_id = of_tenant and r.id = l.request_id
            left join free o on o.user_id = l.user_id and o.day = l.day
        $$;

        -- One row per day and leave type of leave that no request stands for: set by hand in the register, or recorded
        -- by other means. The days to take by the facts as they are, and those taken. Paid leave draws on the
        -- allocations of its type; leave without pay only where there is one for the day. `is_edited`: set by hand.
        create function leave_by_hand(of_tenant uuid, of_users uuid[], first date, last date)
        returns table (user_id uuid, day date, leave_type_id uuid, wanted numeric, taken numeric, is_edited boolean)
        language sql stable parallel safe as $$
            select user_id, day, leave_type_id, sum(wanted), sum(taken), bool_or(is_edited)
            from (
                select s.user_id, s.day, s.leave_type_id, 0.5 as wanted, 0.0 as taken, s.is_edited
                from (
                    select d.user_id, d.day, h.code, h.leave_type_id, true as is_edited
                    from day_edits d
                    cross join lateral (
                        values (d.first_code, d.first_leave_type_id), (d.second_code, d.second_leave_type_id)
                    ) h (code, leave_type_id)
                    where d.tenant_id = of_tenant and (of_users is null or d.user_id = any(of_users))
                      and d.day between first and last and d.superseded_at is null
                    union all
                    select l.user_id, l.day, case l.nature when 'paid' then 'L' else 'U' end, l.leave_type_id, false
                    from leave_days l
                    cross join lateral open_to_leave(of_tenant, l.user_id, l.day, l.day) o
                    where l.tenant_id = of_tenant and (of_users is null or l.user_id = any(of_users))
                      and l.day between first and last and l.request_id is null
                      and case when l.counts_non_working then o.any_day else o.working end
                          & case l.half when 'first' then 2 else 1 end > 0
                ) s
                join leave_types t on t.tenant_id = of_tenant and t.id = s.leave_type_id
                where case s.code when 'L' then t.is_limited when 'U' then exists (
                      select from leave_allocations a
                      where a.tenant_id = of_tenant and a.user_id = s.user_id and a.leave_type_id = s.leave_type_id
                        and a.cycle_start_on <= s.day and (a.expires_on is null or a.expires_on >= s.day)) end
                union all
                select a.user_id, e.concerns_on, a.leave_type_id, 0.0, e.days, false
                from leave_entries e
                join leave_allocations a on a.tenant_id = of_tenant and a.id = e.allocation_id
                where e.tenant_id = of_tenant and (of_users is null or a.user_id = any(of_users))
                  and e.concerns_on between first and last and e.bucket = 'used' and e.request_id is null
            ) half
            group by user_id, day, leave_type_id
        $$;
    """)


def _backfill() -> None:
    run("""
        -- Entries are append-only; only this migration, as their owner, may say afterwards what they are about.
        alter table leave_entries disable trigger keep;
        update leave_entries e set concerns_on = case
                when e.request_id is not null then r.start_on
                when e.bucket in ('lapsed', 'encashed', 'transferred') then coalesce(a.expires_on, a.cycle_end_on) + 1
                else a.cycle_start_on end
            from leave_allocations a, leave_entries o
                left join leave_requests r on r.tenant_id = o.tenant_id and r.id = o.request_id
            where o.tenant_id = e.tenant_id and o.allocation_id = e.allocation_id and o.number = e.number
              and a.tenant_id = e.tenant_id and a.id = e.allocation_id;
        alter table leave_entries enable trigger keep;
        alter table leave_entries drop constraint leave_entries_tenant_id_allocation_id_bucket_cause_key;
        alter table leave_entries add unique (tenant_id, allocation_id, bucket, cause, concerns_on);

        -- What an approved leave used was booked in one sum. It is moved from the leave's first day to its days: the
        -- counted halves in order, filled from its allocations in order of their cycles. The sums stay as they were.
        insert into leave_entries
            (tenant_id, allocation_id, bucket, days, cause, request_id, concerns_on, booked_at, booked_by)
        with used as (
            -- one row per request and allocation: the halves it used of it, and how many come before
            select e.tenant_id, e.request_id, e.allocation_id, r.start_on, (2 * sum(e.days))::integer as halves,
                max(e.booked_at) as booked_at, max(e.booked_by) as booked_by,
                coalesce(sum((2 * sum(e.days))::integer) over (
                    partition by e.tenant_id, e.request_id order by a.cycle_start_on, a.id
                    rows between unbounded preceding and 1 preceding), 0) as before
            from leave_entries e
            join leave_requests r on r.tenant_id = e.tenant_id and r.id = e.request_id and r.status = 'approved'
            join leave_allocations a on a.tenant_id = e.tenant_id and a.id = e.allocation_id
            where e.bucket = 'used'
            group by e.tenant_id, e.request_id, e.allocation_id, r.start_on, a.cycle_start_on, a.id
            having sum(e.days) <> 0
        ),
        counted as (
            select tenant_id, request_id, day,
                row_number() over (partition by tenant_id, request_id order by day, half) as number
            from leave_days where request_id is not null and is_counted
        ),
        placed as (
            select u.tenant_id, u.allocation_id, u.request_id, u.start_on, c.day, u.booked_at, u.booked_by,
                0.5 * count(*) as days
            from used u
            join counted c on c.tenant_id = u.tenant_id and c.request_id = u.request_id
                and c.number > u.before and c.number <= u.before + u.halves
            group by u.tenant_id, u.allocation_id, u.request_id, u.start_on, c.day, u.booked_at, u.booked_by
        )
        select tenant_id, allocation_id, 'used', days, 'by-day/' || request_id, request_id, day, booked_at, booked_by
        from placed where day <> start_on
        union all
        select tenant_id, allocation_id, 'used', -sum(days), 'by-day/' || request_id, request_id, start_on, booked_at,
            booked_by
        from placed where day <> start_on
        group by tenant_id, allocation_id, request_id, start_on, booked_at, booked_by;
    """)
