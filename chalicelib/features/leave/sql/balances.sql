-- One row per allocation of a person that counts on a day: its cycle is on, or it is over and something of it is left
-- that may still be used or decided. All as it was booked until the end of that day.
with in_force as (
    select a.id as allocation_id, a.leave_type_id, t.name as leave_type, a.cycle_start_on as cycle_start_date,
        a.cycle_end_on as cycle_end_date, a.expires_on
    from leave_allocations a
    join leave_types t on t.tenant_id = :tenant_id and t.id = a.leave_type_id
    where a.tenant_id = :tenant_id and a.user_id = :user_id and a.created_at < :until
      and a.cycle_start_on <= :on
      and (a.cycle_end_on >= :on or a.expires_on is null or a.expires_on >= :on)
)
select f.*, b.allocated, b.carried, b.used, b.pending, b.lapsed, b.encashed, b.transferred, n.remaining, b.entries
from in_force f
cross join lateral (
    -- one row: what was booked, by bucket, and the entries themselves in their order
    select
        coalesce(sum(days) filter (where bucket = 'allocated'), 0) as allocated,
        coalesce(sum(days) filter (where bucket = 'carried'), 0) as carried,
        coalesce(sum(days) filter (where bucket = 'used'), 0) as used,
        coalesce(sum(days) filter (where bucket = 'pending'), 0) as pending,
        coalesce(sum(days) filter (where bucket = 'lapsed'), 0) as lapsed,
        coalesce(sum(days) filter (where bucket = 'encashed'), 0) as encashed,
        coalesce(sum(days) filter (where bucket = 'transferred'), 0) as transferred,
        coalesce(json_agg(json_build_object('bucket', bucket, 'days', days, 'cause', cause, 'request_id', request_id,
            'booked_at', booked_at, 'booked_by', booked_by) order by number), '[]') as entries
    from leave_entries e
    where e.tenant_id = :tenant_id and e.allocation_id = f.allocation_id and e.booked_at < :until
) b
cross join lateral (
    select allocated + carried - used - pending - lapsed - encashed - transferred as remaining
) n
where f.cycle_end_date >= :on or n.remaining <> 0 or b.pending <> 0
order by f.leave_type, f.cycle_start_date
