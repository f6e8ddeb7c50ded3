-- The employees that a file's rows are about, by number or by id, with their usual shift. One row: an employee.
select e.user_id, e.employee_no, e.joined_on, e.left_on, coalesce(b.timezone, :timezone) as zone, s.starts_at, s.ends_at
from employments e
left join branches b on b.tenant_id = e.tenant_id and b.id = e.branch_id
left join shifts s on s.tenant_id = e.tenant_id and s.id = e.shift_id
where e.tenant_id = :tenant_id
    and (e.employee_no = any(cast(:employee_nos as text[])) or e.user_id = any(cast(:user_ids as uuid[])))
