select tenant_id, bench.key('department', 10 * no + d) as id, 'Department ' || d as name
from bench.tenants, generate_series(1, 5) d
