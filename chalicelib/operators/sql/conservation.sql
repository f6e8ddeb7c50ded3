-- One row per register row: every half has a code, and the counted days are the days of the period.
select case
        when length(r.halves) <> 2 * n.days
            then format('%s %s: %s halves for %s days', r.month, r.user_id, length(r.halves), n.days)
        when n.counted <> n.days
            then format('%s %s: its columns count %s of %s days', r.month, r.user_id, n.counted, n.days)
    end as problem
from pay_registers r
join pay_periods p on p.tenant_id = r.tenant_id and p.month = r.month
cross join lateral (
    select p.end_on - p.start_on + 1 as days,
        r.present_days + r.absent_days + r.paid_leave_days + r.lop_days + r.holidays + r.week_offs + r.blank_days
            as counted
) n
where r.tenant_id = :tenant_id
