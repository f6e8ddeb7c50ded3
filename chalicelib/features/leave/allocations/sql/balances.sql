-- One row per allocation of a person whose cycle has begun by a day, also where nothing of it is left: what the entries
-- that concern days up to that day come to (all entries without `on`), of those booked before a moment (`until`).
select a.id as allocation_id, a.leave_type_id, t.name as leave_type, a.cycle_start_on as cycle_start_date,
    a.cycle_end_on as cycle_end_date, a.expires_on,
    b.allocated, b.carried, b.used, b.pending, b.lapsed, b.encashed, b.transferred, n.remaining,
    a.cycle_end_on < p.day
        and (coalesce(a.expires_on < p.day, false) or (n.remaining = 0 and b.pending = 0)) as is_over,
    b.entries
from leave_allocations a
join leave_types t on t.tenant_id = :tenant_id and t.id = a.leave_type_id
cross join (select coalesce(cast(:on as date), cast(:today as date)) as day) p
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
            'concerns_on', concerns_on, 'booked_at', booked_at, 'booked_by', booked_by) order by number), '[]')
            as entries
    from leave_entries e
    where e.tenant_id = :tenant_id and e.allocation_id = a.id
      and (cast(:on as date) is null or e.concerns_on <= :on)
      and (cast(:until as timestamptz) is null or e.booked_at < :until)
) b
cross join lateral (
    select allocated + carried - used - pending - lapsed - encashed - transferred as remaining
) n
where a.tenant_id = :tenant_id and a.user_id = :user_id
  and (cast(:until as timestamptz) is null or a.created_at < :until)
  and a.cycle_start_on <= p.day
order by t.name, a.cycle_start_on
