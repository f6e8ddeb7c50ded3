-- a leave type for each rule; at most five days go over
select tenant_id, bench.key('leave type', 10 * no + l) as id, (array['Casual', 'Annual', 'Earned'])[l] as name,
    5.0 as carryover_limit, bench.key('expiry rule', 10 * no + l) as expiry_rule_id
from bench.tenants, generate_series(1, 3) l
