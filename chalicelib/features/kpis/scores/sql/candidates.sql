-- The chunk query: employees with a cycle that is open, about to begin, not settled, or was not calculated at its end.
select a.user_id
from kpi_assignments a
join kpi_definitions d on d.tenant_id = :tenant_id and d.id = a.definition_id and d.is_active
left join kpi_scores s on s.tenant_id = :tenant_id and s.assignment_id = a.id
where a.tenant_id = :tenant_id and a.cycle_start_on <= cast(:as_of as date) + :widest
  and (greatest(a.cycle_end_on, a.due_on) >= cast(:as_of as date) - :settling
      or (d.source <> 'manual_entry' and (s.as_of is null or s.as_of < a.cycle_end_on)))
group by a.user_id
