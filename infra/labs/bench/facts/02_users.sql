select tenant_id, user_id as id, 'Employee ' || n as name, 'employee' || n || '@example.com' as email
from bench.people order by n
