-- Measures employees over spans of days (rules.md, section 9): one row per requested span. It only reads the pay register
-- and the sales; days that the register does not have count as nothing, and are counted for a note.
--
-- A register row is a month of masks: the days inside the span are selected by a mask, so a cycle may begin and end anywhere
-- in a month, and no row per day ever exists. Months that lie inside as a whole have their sums already.
with requested as materialized (
    -- one row per span; a user without an employment (they may have sales) has no day that counts
    select a.user_id, a.first_on, a.last_on,
        greatest(a.first_on, e.joined_on) as from_on,
        case when e.user_id is not null then least(a.last_on, e.left_on) end as to_on
    from jsonb_to_recordset(cast(:spans as jsonb)) as a (user_id uuid, first_on date, last_on date)
    left join employments e on e.tenant_id = :tenant_id and e.user_id = a.user_id
)
select a.user_id, a.first_on, a.last_on,
    round(100 * m.present_days / nullif(m.working_days, 0), 10) as attendance_rate,
    m.working_days, m.present_days, m.od_days, m.absent_days, m.paid_leave_days + m.lop_days as leave_days,
    m.paid_leave_days, m.lop_days, m.holidays, m.week_offs, m.extra_days, m.ot_hours, m.late_count, m.late_minutes,
    m.early_out_count, m.early_out_minutes, s.sales_value, s.sales_count, s.other_sales,
    coalesce(greatest(a.to_on - a.from_on + 1, 0), 0) as days, m.days_known
from requested a
cross join lateral (
    -- one row: the months, added up
    select
        coalesce(sum(days_in(w.working & w.inside & ~halves_coded(w.halves, '10000000'))), 0) as working_days,
        coalesce(sum(case when w.is_whole then w.present_days
            else days_in(halves_coded(w.halves, '01000100') & w.inside) end), 0) as present_days,
        coalesce(sum(case when w.is_whole then w.od_days
            else days_in(halves_coded(w.halves, '00000100') & w.inside) end), 0) as od_days,
        coalesce(sum(case when w.is_whole then w.absent_days
            else days_in(halves_coded(w.halves, '00100000') & w.inside) end), 0) as absent_days,
        coalesce(sum(case when w.is_whole then w.paid_leave_days
            else days_in(halves_coded(w.halves, '00010000') & w.inside) end), 0) as paid_leave_days,
        coalesce(sum(case when w.is_whole then w.lop_days
            else days_in(halves_coded(w.halves, '00001000') & w.inside) end), 0) as lop_days,
        coalesce(sum(case when w.is_whole then w.holidays
            else days_in(halves_coded(w.halves, '00000010') & w.inside) end), 0) as holidays,
        coalesce(sum(case when w.is_whole then w.week_offs
            else days_in(halves_coded(w.halves, '00000001') & w.inside) end), 0) as week_offs,
        -- what only few employees have is unpacked for them alone; a packed day is 10000 * (days since the period's first) + value
        coalesce(sum(case when w.is_whole then w.extra_days when w.day_extra is not null then (
            select sum(d % 10000) / 100.0 from unnest(w.day_extra) d
            where w.start_on + d / 10000 between a.first_on and a.last_on) end), 0) as extra_days,
        coalesce(sum(case when w.is_whole then w.ot_hours when w.day_ot is not null then (
            select sum(d % 10000) / 100.0 from unnest(w.day_ot) d
            where w.start_on + d / 10000 between a.first_on and a.last_on) end), 0) as ot_hours,
        coalesce(sum(case when w.is_whole then w.late_count when w.day_late is not null then (
            select count(*) from unnest(w.day_late) d
            where w.start_on + d / 10000 between a.first_on and a.last_on) end), 0) as late_count,
        coalesce(sum(case when w.is_whole then w.late_minutes when w.day_late is not null then (
            select sum(d % 10000) from unnest(w.day_late) d
            where w.start_on + d / 10000 between a.first_on and a.last_on) end), 0) as late_minutes,
        coalesce(sum(case when w.is_whole then w.early_out_count when w.day_early_out is not null then (
            select count(*) from unnest(w.day_early_out) d
            where w.start_on + d / 10000 between a.first_on and a.last_on) end), 0) as early_out_count,
        coalesce(sum(case when w.is_whole then w.early_out_minutes when w.day_early_out is not null then (
            select sum(d % 10000) from unnest(w.day_early_out) d
            where w.start_on + d / 10000 between a.first_on and a.last_on) end), 0) as early_out_minutes,
        coalesce(sum(days_in(w.employed)), 0)::integer as days_known
    from (
        select r.*, p.start_on,
            a.first_on <= p.start_on and a.last_on >= p.end_on as is_whole,
            -- set: the half lies in the span; and, while employed, was over when the register was computed
            halves_of(a.first_on, a.last_on, p.start_on, p.end_on) as inside,
            case when a.to_on >= a.from_on
                then halves_of(a.from_on, least(a.to_on, r.as_of), p.start_on, p.end_on) else 0 end as employed
        from pay_periods p
        join pay_registers r on r.tenant_id = :tenant_id and r.month = p.month and r.user_id = a.user_id
        where p.tenant_id = :tenant_id and p.start_on <= a.last_on and p.end_on >= a.first_on
        offset 0
    ) w
) m
cross join lateral (
    -- one row: approved sales that occurred in the span, in the tenant's zone
    select
        coalesce(sum(s.earning) filter (where s.currency = :currency), 0) as sales_value,
        count(*) as sales_count,
        (select jsonb_object_agg(o.currency, o.earning::text)
            from (select s.currency, sum(s.earning) as earning
                  from unnest(array_agg(s.currency), array_agg(s.earning)) s (currency, earning)
                  where s.currency <> :currency group by s.currency) o) as other_sales
    from sales s
    join lateral (
        -- the last decision counts
        select d.status from sale_decisions d
        where d.tenant_id = :tenant_id and d.sale_id = s.id
        order by d.revision desc
        limit 1
    ) d on d.status = 'approved'
    where cast(:with_sales as boolean) and s.tenant_id = :tenant_id and s.user_id = a.user_id
      and s.occurred_at >= cast(a.first_on as timestamp) at time zone :timezone
      and s.occurred_at < cast(a.last_on + 1 as timestamp) at time zone :timezone
) s
