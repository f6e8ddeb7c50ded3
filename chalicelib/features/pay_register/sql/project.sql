-- Rebuilds the pay register of some employees for one period from the facts (rules.md, section 3).
--
-- Every source becomes one bit mask per employee: a bit per half day, the last half of the span lowest. What wins where
-- is then set algebra on a handful of integers for the whole month; no row per day ever exists.
--
-- A span is at most 31 days: the period itself, and for people paid by the week also its two edges: the days of the
-- first pay week that lie before the period (lead), and of the last one that lie after it (tail).
--
-- Each employee's facts are looked up by their keys, so that the plan is the same for one employee and for thousands, and
-- months that lie outside the period are never read. `offset 0` ends a step: what it computes is computed once.
with spans as (
    -- one row per span: its name and its days
    select * from (values
        ('period', cast(:start_on as date), cast(:end_on as date)),
        ('lead', cast(:lead_on as date), cast(:start_on as date) - 1),
        ('tail', cast(:end_on as date) + 1, cast(:tail_on as date))
    ) as s(span, start_on, end_on)
    where start_on <= end_on
),
shift_units as (
    -- one row: what a day of each shift counts, in hundredths; looked up here rather than joined to every day
    select coalesce(jsonb_object_agg(id, (100 * payable_units)::integer), '{}') as of_shift
    from shifts where tenant_id = :tenant_id
),
places as (
    -- one row per calendar: the tenant's own (its id stands for "no branch") and one per branch of these employees
    select cast(:tenant_id as uuid) as place_id, null::uuid as branch_id,
           cast(:weekend as smallint[]) as weekend, false as own_holidays
    union all
    select id, id, coalesce(weekend, cast(:weekend as smallint[])), own_holidays
    from branches where tenant_id = :tenant_id
      and id in (select branch_id from employments where tenant_id = :tenant_id and user_id {employees})
),
calendars as materialized (
    -- one row per calendar and span
    select p.place_id, s.span, s.start_on, s.end_on, w.weekly_off, h.holiday
    from places p
    cross join spans s
    cross join lateral (
        -- set: the half is a weekly day off here
        select coalesce(bit_or(3::bigint << 2 * (s.end_on - s.start_on - n)), 0) as weekly_off
        from generate_series(0, s.end_on - s.start_on) n
        where extract(isodow from s.start_on + n)::smallint = any (p.weekend)
    ) w
    cross join lateral (
        -- set: the half is a holiday here; a branch's own row for the date replaces the tenant's
        select coalesce(bit_or(mask << 2 * (s.end_on - day)), 0) as holiday
        from (
            select distinct on (h.day) h.day,
                case h.half when 'first' then 2 when 'second' then 1 else 3 end::bigint as mask
            from holidays h
            where h.tenant_id = :tenant_id and h.day between s.start_on and s.end_on
              and (h.branch_id = p.branch_id or (h.branch_id is null and not p.own_holidays))
            order by h.day, h.branch_id nulls last
        ) d
    ) h
),
people as (
    -- one row per employee in the period and span; only people paid by the week have edges
    select e.user_id, c.span, c.start_on, c.end_on, c.weekly_off, c.holiday, e.units,
        -- set: any half of the span
        halves_of(c.start_on, c.end_on, c.start_on, c.end_on) as every_half,
        -- set: the half lies between joining and leaving
        halves_of(e.joined_on, coalesce(e.left_on, c.end_on), c.start_on, c.end_on) as employed,
        -- set: the half is over, as of the date asked
        halves_of(c.start_on, :as_of, c.start_on, c.end_on) as over
    from (
        select e.user_id, e.joined_on, e.left_on, coalesce(e.branch_id, :tenant_id) as place_id,
            coalesce(((select of_shift from shift_units) ->> e.shift_id::text)::integer, 100) / 100.0 as units,
            exists (select from salaries w
                where w.tenant_id = :tenant_id and w.user_id = e.user_id and w.frequency = 'weekly') as is_weekly
        from employments e
        where e.tenant_id = :tenant_id and e.user_id {employees}
          and e.joined_on <= :end_on and (e.left_on is null or e.left_on >= :start_on)
        offset 0
    ) e
    join calendars c on c.place_id = e.place_id and (c.span = 'period' or e.is_weekly)
    offset 0
),
facts as (
    -- one row per employee and span: all sources side by side, an absent one as the empty mask
    select p.user_id, p.span, p.start_on, p.end_on, p.units, p.every_half, p.employed, p.over,
        (p.weekly_off & ~coalesce(r.rostered, 0)) | coalesce(r.off, 0) as day_off,
        p.holiday & ~coalesce(r.works_holidays, 0) as holiday,
        coalesce(r.rostered, 0) as rostered, r.day_units,
        coalesce(a.present, 0) as present, coalesce(a.enough, 0) as enough, coalesce(a.recorded, 0) as recorded,
        coalesce(a.late, 0) as late, coalesce(a.early_out, 0) as early_out,
        a.late_minutes, a.early_out_minutes, a.day_late, a.day_early_out,
        coalesce(l.leave, 0) as leave, coalesce(l.loss_of_pay, 0) as loss_of_pay,
        coalesce(l.counts_days_off, 0) as leave_counts_days_off, l.leave_bits, l.leave_types,
        coalesce(o.on_duty, 0) as on_duty,
        coalesce(e.manual, 0) as manual,
        coalesce(e.manual_present, 0) as manual_present, coalesce(e.manual_absent, 0) as manual_absent,
        coalesce(e.manual_paid_leave, 0) as manual_paid_leave,
        coalesce(e.manual_loss_of_pay, 0) as manual_loss_of_pay,
        coalesce(e.manual_on_duty, 0) as manual_on_duty,
        coalesce(e.manual_holiday, 0) as manual_holiday, coalesce(e.manual_week_off, 0) as manual_week_off,
        e.leave_bits as manual_leave_bits, e.leave_types as manual_leave_types
    from people p
    cross join lateral (
        select
            -- set: attendance says present in this half, where both halves of the day are open to it
            bit_or(a.present::bigint << 2 * (p.end_on - a.day)) as present,
            -- set: ... and where this half alone is open
            bit_or(3::bigint << 2 * (p.end_on - a.day)) filter (where a.enough_for_half) as enough,
            -- set: there is an attendance record for the half's day
            bit_or(3::bigint << 2 * (p.end_on - a.day)) as recorded,
            -- set: the first half began late; and the second half ended early
            bit_or(2::bigint << 2 * (p.end_on - a.day)) filter (where a.late_minutes > 0) as late,
            bit_or(1::bigint << 2 * (p.end_on - a.day)) filter (where a.early_out_minutes > 0) as early_out,
            sum(a.late_minutes) as late_minutes,
            sum(a.early_out_minutes) as early_out_minutes,
            -- a packed day is 10000 * (days since the span's start) + value
            array_agg(10000 * (a.day - p.start_on) + a.late_minutes order by a.day)
                filter (where a.late_minutes > 0) as day_late,
            array_agg(10000 * (a.day - p.start_on) + a.early_out_minutes order by a.day)
                filter (where a.early_out_minutes > 0) as day_early_out
        from attendance a
        where a.tenant_id = :tenant_id and a.user_id = p.user_id and a.day between p.start_on and p.end_on
    ) a
    cross join lateral (
        select
            bit_or(h.bit) as leave,                                                    -- set: on leave in this half
            bit_or(h.bit) filter (where l.nature = 'lop') as loss_of_pay,              -- set: ... without pay
            bit_or(h.bit) filter (where l.counts_non_working) as counts_days_off,      -- set: ... also on days off
            array_agg(h.bit) as leave_bits,
            array_agg(l.leave_type_id) as leave_types
        from leave_days l
        cross join lateral (
            select case l.half when 'first' then 2::bigint else 1::bigint end << 2 * (p.end_on - l.day) as bit
        ) h
        where l.tenant_id = :tenant_id and l.user_id = p.user_id and l.day between p.start_on and p.end_on
    ) l
    cross join lateral (
        -- set: on duty elsewhere in this half
        select bit_or(halves_of(o.start_on, o.end_on, p.start_on, p.end_on)
            & case o.half when 'first' then first_halves() when 'second' then second_halves()
                          else first_halves() | second_halves() end) as on_duty
        from on_duty o
        where o.tenant_id = :tenant_id and o.user_id = p.user_id and o.status = 'approved'
          and o.start_on <= p.end_on and o.end_on >= p.start_on
    ) o
    cross join lateral (
        select
            bit_or(3::bigint << 2 * (p.end_on - r.day)) as rostered,                   -- set: the roster decides the day
            bit_or(r.off::bigint << 2 * (p.end_on - r.day)) as off,                    -- set: ... and gives the half off
            bit_or(3::bigint << 2 * (p.end_on - r.day)) filter (where r.works_holidays) as works_holidays,
            array_agg(10000 * (r.day - p.start_on) + ((select of_shift from shift_units) ->> r.shift_id::text)::integer
                order by r.day) filter (where r.shift_id is not null) as day_units
        from roster_days r
        where r.tenant_id = :tenant_id and r.user_id = p.user_id and r.day between p.start_on and p.end_on
    ) r
    cross join lateral (
        -- set in manual_x: a user set this half to x by hand
        select
            bit_or(e.bits) as manual,
            bit_or(e.bits) filter (where e.code = 'P') as manual_present,
            bit_or(e.bits) filter (where e.code = 'A') as manual_absent,
            bit_or(e.bits) filter (where e.code = 'L') as manual_paid_leave,
            bit_or(e.bits) filter (where e.code = 'U') as manual_loss_of_pay,
            bit_or(e.bits) filter (where e.code = 'O') as manual_on_duty,
            bit_or(e.bits) filter (where e.code = 'H') as manual_holiday,
            bit_or(e.bits) filter (where e.code = 'W') as manual_week_off,
            array_agg(e.bits) filter (where e.leave_type_id is not null) as leave_bits,
            array_agg(e.leave_type_id) filter (where e.leave_type_id is not null) as leave_types
        from (
            select h.code, h.leave_type_id, h.half::bigint << 2 * (p.end_on - d.day) as bits
            from day_edits d
            cross join lateral (
                values (2, d.first_code, d.first_leave_type_id), (1, d.second_code, d.second_leave_type_id)
            ) as h(half, code, leave_type_id)
            where d.tenant_id = :tenant_id and d.user_id = p.user_id and d.day between p.start_on and p.end_on
              and d.superseded_at is null and h.code is not null
        ) e
    ) e
    offset 0
),
claimed as (
    -- what wins in a half that nobody edited, while employed: leave, on-duty, holiday, day off, else it is free
    -- (PostgreSQL reads & and | from left to right alike, so every mixture has its parentheses)
    select *,
        open & leave & (~(holiday | day_off) | leave_counts_days_off) as on_leave,
        -- set: the employee's calendar wants work in this half; a day off given by hand leaves both sides of the fraction
        every_half & ~(holiday | day_off | manual_holiday | manual_week_off) as working
    from (select *, employed & ~manual as open from facts offset 0) f
    offset 0
),
free_halves as (
    select *,
        -- set: the half is left to attendance
        open & ~(on_leave | on_duty | holiday | day_off) as free,
        -- set: the day's other half is leave, duty, a holiday or a day off, by the facts or by hand
        other_halves((open & (on_leave | on_duty | holiday | day_off)) | manual_paid_leave | manual_loss_of_pay
                     | manual_on_duty | manual_holiday | manual_week_off) as beside_claimed
    from claimed
    offset 0
),
settled as (
    -- one row per employee and span: every half is set in exactly one of these masks, or in none where it is blank
    select *,
        (free & attended) | (unrecorded & assumed) | manual_present as is_present,
        (free & ~attended & over & recorded) | (unrecorded & ~assumed) | manual_absent as is_absent,
        (on_leave & ~loss_of_pay) | manual_paid_leave as is_paid_leave,
        (on_leave & loss_of_pay) | manual_loss_of_pay as is_loss_of_pay,
        (open & on_duty & ~on_leave) | manual_on_duty as is_on_duty,
        (open & holiday & ~(on_leave | on_duty)) | manual_holiday as is_holiday,
        (open & day_off & ~(holiday | on_leave | on_duty)) | manual_week_off as is_week_off
    from (
        select *,
            -- set: attendance says present in this half; the one half that is open needs half of the minutes
            present | (enough & beside_claimed) as attended,
            -- set: a free half that is over and has no record at all
            free & over & ~recorded as unrecorded,
            -- set everywhere if the policy takes such a half as present
            case :missing_attendance when 'present' then -1::bigint else 0::bigint end as assumed
        from free_halves
        offset 0
    ) f
    offset 0
),
weighed as (
    -- one row per employee: the period, with its two edges beside it and the masks that its totals are counted from
    select * from (
        select *, end_on - start_on + 1 as days,
            is_present | is_on_duty as worked,
            coalesce(max(is_present | is_on_duty | is_paid_leave) filter (where span = 'lead') over same_person, 0)
                as lead_payable,
            coalesce(max(working) filter (where span = 'lead') over same_person, 0) as lead_working,
            coalesce(max(working) filter (where span = 'tail') over same_person, 0) as tail_working
        from settled
        window same_person as (partition by user_id)
    ) s
    where span = 'period'
    offset 0
),
written as (
    -- one row per employee: the register's row. A code's number is its place in '-PALUOHW': three masks spell it.
    select w.user_id,
        translate(
            right((
                (is_present | is_paid_leave | is_on_duty | is_week_off)::bit(64)::text::numeric
                + 2 * (is_absent | is_paid_leave | is_holiday | is_week_off)::bit(64)::text::numeric
                + 4 * (is_loss_of_pay | is_on_duty | is_holiday | is_week_off)::bit(64)::text::numeric
                + 1e64)::text, 2 * days),
            '01234567', '-PALUOHW') as halves,
        worked | is_paid_leave as payable, working, manual, recorded, rostered, lead_payable, lead_working, tail_working,
        days_in(worked) as present_days,
        days_in(is_on_duty) as od_days,
        days_in(is_absent) as absent_days,
        days_in(is_paid_leave) as paid_leave_days,
        days_in(is_loss_of_pay) as lop_days,
        days_in(is_holiday) as holidays,
        days_in(is_week_off) as week_offs,
        days - days_in(worked | is_absent | is_paid_leave | is_loss_of_pay | is_holiday | is_week_off) as blank_days,
        coalesce(n.extra_days, 0) as extra_days,
        units * days_in(worked) + coalesce(other_units, 0) + days_in(is_paid_leave) + coalesce(n.extra_days, 0)
            as payable_shifts,
        coalesce(n.ot_hours, 0) as ot_hours,
        bit_count((late & worked)::bit(64)) as late_count,
        coalesce(case when late & ~worked = 0 then w.late_minutes
                      else (select sum(d % 10000) from unnest(day_late_kept) d) end, 0) as late_minutes,
        bit_count((early_out & worked)::bit(64)) as early_out_count,
        coalesce(case when early_out & ~worked = 0 then w.early_out_minutes
                      else (select sum(d % 10000) from unnest(day_early_out_kept) d) end, 0) as early_out_minutes,
        units, day_units, day_late_kept as day_late, day_early_out_kept as day_early_out,
        n.day_ot, n.day_extra, leave_halves, n.day_remarks
    from (
        -- what only few employees have is computed for them alone: a case is lazy where a join would not be
        select *,
            case when late & ~worked = 0 then day_late else (
                select array_agg(d) from unnest(day_late) d
                where worked & (2::bigint << 2 * (days - 1 - d / 10000)) <> 0
            ) end as day_late_kept,
            case when early_out & ~worked = 0 then day_early_out else (
                select array_agg(d) from unnest(day_early_out) d
                where worked & (1::bigint << 2 * (days - 1 - d / 10000)) <> 0
            ) end as day_early_out_kept,
            -- what days on a shift of other units are worth more or less than the usual shift
            case when day_units is not null then (
                select sum((d % 10000 / 100.0 - units) * days_in(worked & (3::bigint << 2 * (days - 1 - d / 10000))))
                from unnest(day_units) d
            ) end as other_units,
            -- for each leave type, the halves (counted from the period's first) that are leave of this type in the end
            case when leave_bits is not null or manual_leave_bits is not null then (
                select jsonb_object_agg(leave_type, halves)
                from (
                    select leave_type, array_agg(2 * days - length(ltrim(bit::bit(64)::text, '0')) order by bit desc) as halves
                    from (
                        select bit, leave_type from unnest(leave_bits, leave_types) l(bit, leave_type)
                        where bit & on_leave <> 0
                        union all
                        select bit, leave_type from unnest(manual_leave_bits, manual_leave_types) m(bit, leave_type)
                    ) kept
                    group by leave_type
                ) types
            ) end as leave_halves
        from weighed
        offset 0
    ) w
    cross join lateral (
        -- hours, extra days and remarks of the period; an edit's hours replace the day's overtime
        select
            sum(n.ot_hours) as ot_hours,
            sum(n.extra_days) as extra_days,
            array_agg(10000 * n.day + (100 * n.ot_hours)::integer order by n.day) filter (where n.ot_hours > 0) as day_ot,
            array_agg(10000 * n.day + (100 * n.extra_days)::integer order by n.day) filter (where n.extra_days > 0)
                as day_extra,
            jsonb_object_agg(w.start_on + n.day, n.remarks) filter (where n.remarks is not null) as day_remarks
        from (
            select day - w.start_on as day, coalesce(max(edited), sum(approved)) as ot_hours,
                max(extra_days) as extra_days, max(remarks) as remarks
            from (
                select day, hours as approved, null::numeric as edited, null::numeric as extra_days, null as remarks
                from overtime
                where tenant_id = :tenant_id and user_id = w.user_id and day between w.start_on and w.end_on
                  and status = 'approved'
                union all
                select day, null, ot_hours, extra_days, remarks
                from day_edits
                where tenant_id = :tenant_id and user_id = w.user_id and day between w.start_on and w.end_on
                  and superseded_at is null
            ) by_source
            group by day
        ) n
    ) n
)
insert into pay_registers as r (
    tenant_id, month, user_id, as_of,
    halves, payable, working, manual, recorded, rostered, lead_payable, lead_working, tail_working, present_days,
    od_days, absent_days, paid_leave_days, lop_days, holidays, week_offs, blank_days, extra_days, payable_shifts,
    ot_hours, late_count, late_minutes, early_out_count, early_out_minutes, units, day_units, day_late, day_early_out,
    day_ot, day_extra, leave_halves, day_remarks)
select :tenant_id, :month, user_id, :as_of,
    halves, payable, working, manual, recorded, rostered, lead_payable, lead_working, tail_working, present_days,
    od_days, absent_days, paid_leave_days, lop_days, holidays, week_offs, blank_days, extra_days, payable_shifts,
    ot_hours, late_count, late_minutes, early_out_count, early_out_minutes, units, day_units, day_late, day_early_out,
    day_ot, day_extra, leave_halves, day_remarks
from written
on conflict (tenant_id, month, user_id) do update
    set (
        as_of,
        halves, payable, working, manual, recorded, rostered, lead_payable, lead_working, tail_working, present_days,
        od_days, absent_days, paid_leave_days, lop_days, holidays, week_offs, blank_days, extra_days, payable_shifts,
        ot_hours, late_count, late_minutes, early_out_count, early_out_minutes, units, day_units, day_late,
        day_early_out, day_ot, day_extra, leave_halves, day_remarks
    ) = (
        select excluded.as_of,
        excluded.halves, excluded.payable, excluded.working, excluded.manual, excluded.recorded, excluded.rostered,
        excluded.lead_payable, excluded.lead_working, excluded.tail_working, excluded.present_days, excluded.od_days,
        excluded.absent_days, excluded.paid_leave_days, excluded.lop_days, excluded.holidays, excluded.week_offs,
        excluded.blank_days, excluded.extra_days, excluded.payable_shifts, excluded.ot_hours, excluded.late_count,
        excluded.late_minutes, excluded.early_out_count, excluded.early_out_minutes, excluded.units, excluded.day_units,
        excluded.day_late, excluded.day_early_out, excluded.day_ot, excluded.day_extra, excluded.leave_halves,
        excluded.day_remarks)
    -- no write for a row that is the same already
    where (
        r.as_of,
        r.halves, r.payable, r.working, r.manual, r.recorded, r.rostered, r.lead_payable, r.lead_working,
        r.tail_working, r.present_days, r.od_days, r.absent_days, r.paid_leave_days, r.lop_days, r.holidays,
        r.week_offs, r.blank_days, r.extra_days, r.payable_shifts, r.ot_hours, r.late_count, r.late_minutes,
        r.early_out_count, r.early_out_minutes, r.units, r.day_units, r.day_late, r.day_early_out, r.day_ot,
        r.day_extra, r.leave_halves, r.day_remarks
    ) is distinct from (
        excluded.as_of,
        excluded.halves, excluded.payable, excluded.working, excluded.manual, excluded.recorded, excluded.rostered,
        excluded.lead_payable, excluded.lead_working, excluded.tail_working, excluded.present_days, excluded.od_days,
        excluded.absent_days, excluded.paid_leave_days, excluded.lop_days, excluded.holidays, excluded.week_offs,
        excluded.blank_days, excluded.extra_days, excluded.payable_shifts, excluded.ot_hours, excluded.late_count,
        excluded.late_minutes, excluded.early_out_count, excluded.early_out_minutes, excluded.units, excluded.day_units,
        excluded.day_late, excluded.day_early_out, excluded.day_ot, excluded.day_extra, excluded.leave_halves,
        excluded.day_remarks)
