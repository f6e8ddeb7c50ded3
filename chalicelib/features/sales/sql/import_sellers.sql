-- One row per user that a file's rows name, by employee number, id or address.
select u.id as user_id, e.employee_no, u.email
from users u
left join employments e on e.tenant_id = u.tenant_id and e.user_id = u.id
where u.tenant_id = :tenant_id and u.id in (
    select unnest(cast(:user_ids as uuid[]))
    union
    select user_id from employments where tenant_id = :tenant_id and employee_no = any(cast(:employee_nos as text[]))
    union
    select id from users where tenant_id = :tenant_id and email = any(cast(:emails as text[])))
