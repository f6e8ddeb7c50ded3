-- The people whom a night may concern, in chunks by id: first and last of each, and how many. A night that concerns
-- nobody has none.
select chunk, min(user_id::text)::uuid, max(user_id::text)::uuid, count(*)
from (
    select a.user_id, (row_number() over (order by a.user_id) - 1) / :size as chunk
    from kpi_assignments a
    join kpi_definitions d on d.tenant_id = :tenant_id and d.id = a.definition_id and d.is_active
    left join kpi_scores s on s.tenant_id = :tenant_id and s.assignment_id = a.id
    where a.tenant_id = :tenant_id and a.cycle_start_on <= cast(:as_of as date) + :widest
      and (greatest(a.cycle_end_on, a.due_on) >= cast(:as_of as date) - :settling
          or (d.source <> 'manual_entry' and (s.as_of is null or s.as_of < a.cycle_end_on)))
    group by a.user_id
) numbered
group by chunk
order by chunk
