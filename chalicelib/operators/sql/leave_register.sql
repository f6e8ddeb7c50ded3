-- One row per half of approved leave, per day of leave set by hand, and per person, leave type and fresh open period:
-- the leave ledger and the register agree. Days in locked periods are as they were paid, and are left out.
with
closed as (
    select start_on, end_on from pay_periods where tenant_id = :tenant_id and status <> 'open'
),
fresh as (
    -- one row per person and open period whose register is computed from the facts as they are
    select r.user_id, p.month, p.start_on, p.end_on, r.halves, r.leave_halves
    from pay_periods p
    join pay_registers r on r.tenant_id = :tenant_id and r.month = p.month
    where p.tenant_id = :tenant_id and p.status = 'open' and p.computed_at is not null
      and p.changed_at <= p.computed_at
),
shown as (
    -- one row per person, period and leave type: the halves that the register shows as leave of it
    select f.user_id, f.month, t.leave_type_id::uuid, count(*) as halves,
        count(*) filter (where substr(f.halves, at.place::integer + 1, 1) = 'L') as paid
    from fresh f
    cross join lateral jsonb_each(f.leave_halves) t (leave_type_id, places)
    cross join lateral jsonb_array_elements_text(t.places) at (place)
    group by f.user_id, f.month, t.leave_type_id
),
taken as (
    -- one row per person, period and leave type: the halves that were taken from allocations
    select f.user_id, f.month, a.leave_type_id, 2 * sum(e.days) as halves
    from fresh f
    join leave_allocations a on a.tenant_id = :tenant_id and a.user_id = f.user_id
    join leave_entries e on e.tenant_id = :tenant_id and e.allocation_id = a.id and e.bucket = 'used'
        and e.concerns_on between f.start_on and f.end_on
    group by f.user_id, f.month, a.leave_type_id
),
compared as (
    -- leave without pay may be taken from allocations or not, paid leave must be
    select f.user_id, f.month, leave_type_id, coalesce(s.halves, 0) as shown, coalesce(s.paid, 0) as paid,
        coalesce(t.halves, 0) as taken
    from shown s
    full join taken t using (user_id, month, leave_type_id)
    join fresh f using (user_id, month)
    join leave_types y on y.tenant_id = :tenant_id and y.id = leave_type_id and y.is_limited
    -- where the type had no limit when some of its leave was approved, nothing was taken for that
    where not exists (
        select from leave_requests q
        where q.tenant_id = :tenant_id and q.user_id = f.user_id and q.leave_type_id = y.id and not q.is_limited
          and q.start_on <= f.end_on and q.end_on >= f.start_on)
)
select case
        when h.is_wanted <> h.is_counted and not (h.is_wanted and h.nature = 'lop')
            then format('request %s: the %s half of %s %s leave, and the leave ledger says otherwise', h.request_id, h.half,
                h.day, case when h.is_wanted then 'is' else 'is not' end)
    end as problem
from leave_halves(:tenant_id, null, '-infinity', 'infinity') h
where not exists (select from closed c where h.day between c.start_on and c.end_on)
union all
select case when d.wanted <> d.taken
        then format('%s on %s: %s days of leave set by hand, and %s are taken', d.user_id, d.day, d.wanted, d.taken) end
from leave_by_hand(:tenant_id, null, '-infinity', 'infinity') d
where not exists (select from closed c where d.day between c.start_on and c.end_on)
union all
select case when taken not between paid and shown
        then format('%s in %s: the register shows %s halves of leave, and %s are taken for them', user_id, month, shown,
            trim_scale(taken)) end
from compared
