-- Scores values that were entered by hand against the present targets and weights, while their cycle is open or not settled.
update kpi_scores s set target = coalesce(a.target, d.target), weight = coalesce(a.weight, d.weight),
    direction = d.direction, calculated_at = :now
from kpi_assignments a
join kpi_definitions d on d.tenant_id = :tenant_id and d.id = a.definition_id and d.is_active
    and d.source = 'manual_entry'
where a.tenant_id = :tenant_id and a.user_id {employees} and s.tenant_id = :tenant_id and s.assignment_id = a.id
  and a.cycle_end_on >= cast(:as_of as date) - :settling
  and (s.target, s.weight, s.direction)
    is distinct from (coalesce(a.target, d.target), coalesce(a.weight, d.weight), d.direction)
