-- The scores to calculate: one row per assignment whose cycle is open or not settled yet, and of any whose last
-- calculation was before its end because runs were missed.
select a.id as assignment_id, a.definition_id, a.user_id, a.cycle_start_on as first_on,
    least(a.cycle_end_on, cast(:as_of as date)) as last_on
from kpi_assignments a
join kpi_definitions d on d.tenant_id = :tenant_id and d.id = a.definition_id
    and d.is_active and d.source <> 'manual_entry'
left join kpi_scores s on s.tenant_id = :tenant_id and s.assignment_id = a.id
where a.tenant_id = :tenant_id and a.user_id {employees} and a.cycle_start_on <= cast(:as_of as date)
  and (a.cycle_end_on >= cast(:as_of as date) - :settling or s.as_of is null or s.as_of < a.cycle_end_on)
order by a.definition_id, a.id
