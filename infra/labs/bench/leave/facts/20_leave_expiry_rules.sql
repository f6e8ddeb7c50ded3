-- a rule for each action, each with a step thirty days before
select tenant_id, bench.key('expiry rule', 10 * no + r) as id, action as name, '{30}'::smallint[] as notification_days,
    action
from bench.tenants,
    unnest(array['delete', 'convert_to_cash', 'transfer_to_next_cycle']) with ordinality actions (action, r)
