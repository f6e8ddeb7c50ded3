select tenant_id, user_id, 'E' || lpad(n::text, 8, '0') as employee_no, joined_on, left_on,
    case when bench.dice(n, 5) < 400 then bench.key('branch', 10 * no + 1 + bench.dice(n, 6) % 4) end as branch_id,
    bench.key('department', 10 * no + 1 + bench.dice(n, 7) % 5) as department_id,
    bench.key('shift', 10 * no + 1 + bench.dice(n, 8) % 10 / 4) as shift_id
from bench.people order by n
