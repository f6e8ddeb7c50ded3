-- Gives people a KPI for a cycle, and tells how many got it and how many did not, and why.
with asked as (
    -- one row per person asked for, among those whom the caller may give KPIs
    select u.id as user_id, e.joined_on, e.left_on
    from users u
    left join employments e on e.tenant_id = :tenant_id and e.user_id = u.id
    where u.tenant_id = :tenant_id
      and case
          when cast(:user_ids as uuid[]) is not null then u.id = any (cast(:user_ids as uuid[]))
          when cast(:department_id as uuid) is not null then e.department_id = :department_id
          else e.user_id is not null end
      {reach}
),
judged as (
    -- one row per person, with why they do not get it; whoever was named may have no employment, and be paid from sales
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
    from asked a
),
made as (
    insert into kpi_assignments (tenant_id, definition_id, user_id, cycle_start_on, cycle_end_on, target, weight, due_on,
        notes, assigned_by, assigned_at)
    select :tenant_id, :definition_id, user_id, :cycle_start, :cycle_end, :target, :weight, :due_on, :notes, :assigned_by,
        :now
    from judged where reason is null order by user_id
    returning id, user_id
)
select j.reason, count(*) as people, (array_agg(j.user_id order by j.user_id))[1:50] as user_ids,
    (array_agg(m.id order by j.user_id))[1] as assignment_id
from judged j
left join made m using (user_id)
group by j.reason order by j.reason
