-- One row per register row and per balance: they are only of people employed in the period.
select case when e.user_id is null
        then format('%s %s: a %s row of somebody who was not employed then', k.month, k.user_id, k.kind)
    end as problem
from (
    select tenant_id, month, user_id, 'register' as kind from pay_registers where tenant_id = :tenant_id
    union all
    select tenant_id, month, user_id, 'balance' from balances where tenant_id = :tenant_id
) k
join pay_periods p on p.tenant_id = k.tenant_id and p.month = k.month
left join employments e on e.tenant_id = k.tenant_id and e.user_id = k.user_id
    and e.joined_on <= p.end_on and (e.left_on is null or e.left_on >= p.start_on)
