-- Writes calculated scores. An unchanged one costs no write; an override stays.
insert into kpi_scores as s (tenant_id, assignment_id, value, target, weight, direction, explanation, as_of,
    calculated_at)
select :tenant_id, a.id, n.value, coalesce(a.target, d.target), coalesce(a.weight, d.weight), d.direction, n.explanation,
    n.as_of, :now
from jsonb_to_recordset(cast(:scores as jsonb)) as n (assignment_id uuid, value numeric, explanation jsonb, as_of date)
join kpi_assignments a on a.tenant_id = :tenant_id and a.id = n.assignment_id
join kpi_definitions d on d.tenant_id = :tenant_id and d.id = a.definition_id
order by a.id
on conflict (tenant_id, assignment_id) do update
set (value, target, weight, direction, explanation, as_of, calculated_at) =
    (excluded.value, excluded.target, excluded.weight, excluded.direction, excluded.explanation, excluded.as_of,
     excluded.calculated_at)
where (s.value, s.target, s.weight, s.direction, s.explanation, s.as_of) is distinct from
    (excluded.value, excluded.target, excluded.weight, excluded.direction, excluded.explanation, excluded.as_of)
