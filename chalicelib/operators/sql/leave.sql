-- One row per allocation: its days are the sum of its entries, and nothing is overspent. One row per request: its days
-- are pending while it is pending, used once it is approved, and the register's facts are the same.
with
booked as (
    select allocation_id,
        coalesce(sum(days) filter (where bucket = 'allocated'), 0) as allocated,
        coalesce(sum(days) filter (where bucket = 'carried'), 0) as carried,
        coalesce(sum(days) filter (where bucket = 'pending'), 0) as pending,
        coalesce(sum(days) filter (where bucket = 'used'), 0) as used,
        coalesce(sum(days) filter (where bucket = 'lapsed'), 0) as lapsed,
        coalesce(sum(days) filter (where bucket = 'encashed'), 0) as encashed,
        coalesce(sum(days) filter (where bucket = 'transferred'), 0) as transferred
    from leave_entries where tenant_id = :tenant_id group by allocation_id
),
reserved as (
    -- one row per request that was ever booked
    select request_id,
        coalesce(sum(days) filter (where bucket = 'pending'), 0) as pending,
        coalesce(sum(days) filter (where bucket = 'used'), 0) as used
    from leave_entries where tenant_id = :tenant_id and request_id is not null group by request_id
),
recorded as (
    -- one row per request with facts in the register: all its halves, and those that were counted
    select request_id, count(*) as halves, count(*) filter (where is_counted) * 0.5 as days
    from leave_days where tenant_id = :tenant_id and request_id is not null group by request_id
)
select case
        when a.remaining_days < 0
            then format('allocation %s: overspent by %s days', a.id, -a.remaining_days)
        when (a.allocated_days, a.carried_days, a.pending_days, a.used_days, a.lapsed_days, a.encashed_days,
              a.transferred_days) <> (n.allocated, n.carried, n.pending, n.used, n.lapsed, n.encashed, n.transferred)
            then format('allocation %s: its days are not the sum of its entries', a.id)
    end as problem
from leave_allocations a
left join booked b on b.allocation_id = a.id
cross join lateral (
    select coalesce(b.allocated, 0) as allocated, coalesce(b.carried, 0) as carried, coalesce(b.pending, 0) as pending,
        coalesce(b.used, 0) as used, coalesce(b.lapsed, 0) as lapsed, coalesce(b.encashed, 0) as encashed,
        coalesce(b.transferred, 0) as transferred
) n
where a.tenant_id = :tenant_id
union all
select case
        when n.pending <> case when r.status = 'pending' and r.is_limited then r.days else 0 end
            then format('request %s: %s, and holds %s of its %s days', r.id, r.status, n.pending, r.days)
        when n.used <> case when r.status = 'approved' and r.is_limited then r.days else 0 end
            then format('request %s: %s, and used %s of its %s days', r.id, r.status, n.used, r.days)
        when n.recorded <> case when r.status = 'approved' then r.days else 0 end
            then format('request %s: %s with %s days, and the register is told of %s', r.id, r.status, r.days,
                n.recorded)
        when n.halves <> case when r.status = 'approved' then n.span else 0 end
            then format('request %s: %s, and the register is told of %s halves of %s', r.id, r.status, n.halves, n.span)
    end
from leave_requests r
left join reserved h on h.request_id = r.id
left join recorded d on d.request_id = r.id
cross join lateral (
    select coalesce(h.pending, 0) as pending, coalesce(h.used, 0) as used, coalesce(d.days, 0) as recorded,
        coalesce(d.halves, 0) as halves,
        2 * (r.end_on - r.start_on + 1) - (r.start_half = 'second')::integer - (r.end_half = 'first')::integer as span
) n
where r.tenant_id = :tenant_id
