select tenant_id, kind, user_id, 'BDT' as currency, 0 as balance
from bench.people, unnest(array['payable', 'advances']) kind
union all
select tenant_id, kind, null, 'BDT', coalesce(sum(amount * case kind when debit then 1 when credit then -1 end), 0)
from bench.tenants left join bench.lines using (tenant_id), unnest(array['sales_cost', 'wage_cost', 'cash']) kind
group by 1, 2
