-- Gives many people days of one kind of leave for one cycle, and tells how many got them and how many did not, and why.
with asked as (
    -- one row per person asked for
    select u.id as user_id, e.joined_on, e.left_on
    from users u
    left join employments e on e.tenant_id = :tenant_id and e.user_id = u.id
    where u.tenant_id = :tenant_id
      and (cast(:user_ids as uuid[]) is null or u.id = any(cast(:user_ids as uuid[])))
      and (cast(:department_id as uuid) is null or e.department_id = :department_id)
),
judged as (
    -- one row per person: the days, the cycle that was made to carry days into, and why there are none
    select a.user_id, n.days, carried.id as carried_id,
        case
            when a.user_id = any(cast(:own_ids as uuid[])) then 'is_you'
            when a.joined_on is null then 'no_employment'
            when a.left_on < :cycle_start_on then 'left_before'
            when a.joined_on > :cycle_end_on then 'joins_after'
            when exists (
                select from leave_allocations l
                where l.tenant_id = :tenant_id and l.user_id = a.user_id and l.leave_type_id = :leave_type_id
                  and l.cycle_start_on <= :cycle_end_on and l.cycle_end_on >= :cycle_start_on
                  and l.id is distinct from carried.id) then 'overlaps'
            when n.days = 0 and :days > 0 then 'too_late_for_half_a_day'
        end as reason
    from asked a
    cross join lateral (
        -- the part of the cycle that lies ahead of joining, in calendar days, rounded down to half a day
        select case when :pro_rata and a.joined_on > :cycle_start_on
            then floor(2 * cast(:days as numeric) * (cast(:cycle_end_on as date) - a.joined_on + 1)
                / (cast(:cycle_end_on as date) - cast(:cycle_start_on as date) + 1)) / 2
            else cast(:days as numeric) end as days
    ) n
    left join lateral (
        select l.id from leave_allocations l
        where l.tenant_id = :tenant_id and l.user_id = a.user_id and l.leave_type_id = :leave_type_id
          and l.cycle_start_on = :cycle_start_on and l.cycle_end_on = :cycle_end_on and l.carried_days > 0
          and not exists (
              select from leave_entries e
              where e.tenant_id = :tenant_id and e.allocation_id = l.id and e.bucket = 'allocated')
    ) carried on true
),
made as (
    insert into leave_allocations
        (tenant_id, user_id, leave_type_id, cycle_start_on, cycle_end_on, expires_on, notes, created_at)
    select :tenant_id, user_id, :leave_type_id, :cycle_start_on, :cycle_end_on, cast(:expires_on as date), :notes, :now
    from judged where reason is null and carried_id is null order by user_id
    returning id, user_id
),
booked as (
    insert into leave_entries (tenant_id, allocation_id, bucket, days, cause, concerns_on, booked_at, booked_by)
    select :tenant_id, m.id, 'allocated', j.days, 'allocated/1', cast(:cycle_start_on as date), :now, :booked_by
    from (
        select id, user_id from made
        union all
        select carried_id, user_id from judged where reason is null and carried_id is not null
    ) m join judged j using (user_id)
    where j.days > 0
)
select reason, count(*) as people, coalesce(sum(days), 0) as days,
    (array_agg(user_id order by user_id))[1:50] as user_ids
from judged group by reason order by reason
