-- Reminders of values that are entered by hand and missing: one row per assignment that is due within the widest step, with
-- the nearest step that has come, the employee's approver, and the appraisal form that would enter the value, if any.
select a.id as assignment_id, a.user_id, d.name as title, due.on_day as due_on, step.days as step, approver.id as approver_id,
    f.id as form_id, f.name as form
from kpi_assignments a
join kpi_definitions d on d.tenant_id = :tenant_id and d.id = a.definition_id
    and d.is_active and d.source = 'manual_entry'
left join kpi_scores s on s.tenant_id = :tenant_id and s.assignment_id = a.id
left join employments e on e.tenant_id = :tenant_id and e.user_id = a.user_id
cross join lateral (select coalesce(a.due_on, a.cycle_end_on) as on_day) due
cross join lateral (
    select min(n) as days from unnest(cast(:steps as integer[])) n where n >= due.on_day - cast(:today as date)
) step
left join lateral (
    -- the nearest manager who is still here; of an office of several, one, or each value would be asked of all
    select min(one::text)::uuid as id from approvers_of(:tenant_id, a.user_id, :today) one
    where e.manager_id is not null
) approver on true
left join lateral (
    -- a form in use, for the person's branch, whose published version has the KPI's field
    select f.id, f.name
    from forms f
    join lateral (
        select v.fields from form_versions v
        where v.tenant_id = :tenant_id and v.form_id = f.id and v.published_at is not null
        order by v.number desc
        limit 1
    ) v on v.fields @> jsonb_build_array(jsonb_build_object('field_name', 'kpi_' || d.code))
    where f.tenant_id = :tenant_id and f.form_type = 'appraisal' and f.is_active
      and (f.branch_id is null or f.branch_id = e.branch_id)
    order by f.id
    limit 1
) f on true
where a.tenant_id = :tenant_id and a.user_id {employees} and step.days is not null and due.on_day >= :today
  and s.value is null and s.text_value is null and s.override_value is null
  and (e.left_on is null or e.left_on >= :today)
order by a.id
