-- Assigns a KPI to employees for a cycle. Returns a row per reason, with the number of employees who did not get it, and one
-- with reason null for those who did.
with requested as (
    -- one row per user who is requested and within the caller's reach
    select u.id as user_id, e.joined_on, e.left_on
    from users u
    left join employments e on e.tenant_id = :tenant_id and e.user_id = u.id
    where u.tenant_id = :tenant_id
      and case
          when cast(:user_ids as uuid[]) is not null then u.id = any (cast(:user_ids as uuid[]))
          when cast(:department_id as uuid) is not null then e.department_id = :department_id
          else e.user_id is not null end
      and case cast(:reach as text)
          when 'all' then true
          when 'team' then u.id in (select team_of(:tenant_id, cast(:actor_user_id as uuid), cast(:today as date)))
          when 'self' then u.id = cast(:actor_user_id as uuid)
          else false
      end
),
checked as (
    -- one row per user, with the reason why they cannot have it; a named user without an employment may be paid from sales
    select a.user_id,
        case
            when a.user_id = any(cast(:own_ids as uuid[])) then 'is_you'
            when a.left_on < :cycle_start then 'left_before'
            when a.joined_on > :cycle_end then 'joins_after'
            when exists (
                select from kpi_assignments k
                where k.tenant_id = :tenant_id and k.user_id = a.user_id and k.definition_id = :definition_id
                  and k.cycle_start_on <= :cycle_end and k.cycle_end_on >= :cycle_start) then 'has_it'
        end as reason
    from requested a
),
assigned as (
    insert into kpi_assignments (tenant_id, definition_id, user_id, cycle_start_on, cycle_end_on, target, weight, due_on,
        notes, assigned_by, assigned_at)
    select :tenant_id, :definition_id, user_id, :cycle_start, :cycle_end, :target, :weight, :due_on, :notes, :assigned_by,
        :now
    from checked where reason is null order by user_id
    returning id, user_id
)
select c.reason, count(*) as people, (array_agg(c.user_id order by c.user_id))[1:50] as user_ids,
    (array_agg(n.id order by c.user_id))[1] as assignment_id
from checked c
left join assigned n using (user_id)
group by c.reason order by c.reason
