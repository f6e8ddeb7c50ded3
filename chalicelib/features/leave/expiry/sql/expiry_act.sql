-- Does what the plan before it says, in the same statement: makes the cycles that days go over to, books the entries,
-- and marks what is dealt with.
, made as (
    insert into leave_allocations (tenant_id, id, user_id, leave_type_id, cycle_start_on, cycle_end_on, expires_on, created_at)
    select :tenant_id, target_id, user_id, leave_type_id, next_start_on, next_end_on, next_expires_on, :now
    from plan
    where makes_target
),
booked as (
    insert into leave_entries (tenant_id, allocation_id, bucket, days, cause, concerns_on, booked_at, booked_by)
    select :tenant_id, moved.allocation_id, moved.bucket, moved.days, moved.cause, moved.concerns_on, :now, :booked_by
    from plan p
    cross join lateral (values
        (p.allocation_id, 'lapsed', p.lapsed, concat('expiry/', cast(:as_of as date)), p.expires_on + 1),
        (p.allocation_id, 'encashed', p.encashed, concat('expiry/', cast(:as_of as date)), p.expires_on + 1),
        (p.allocation_id, 'transferred', p.transferred, concat('expiry/', cast(:as_of as date)), p.expires_on + 1),
        (p.target_id, 'carried', p.transferred, concat('carried/', p.allocation_id, '/', cast(:as_of as date)),
            p.next_start_on)
    ) moved (allocation_id, bucket, days, cause, concerns_on)
    where moved.days > 0
),
acted as (
    update leave_allocations a set expired_at = :now
    from plan p
    where a.tenant_id = :tenant_id and a.id = p.allocation_id and p.problem is null
)
