select tenant_id, bench.key('leave type', 10 * no + l) as id, (array['Annual', 'Sick', 'Unpaid'])[l] as name,
    l < 3 as is_paid, l = 2 as counts_non_working_days
from bench.tenants, generate_series(1, 3) l
