-- One row per balance: it is the sum of its lines, and was computed with its register row. Problems name no amounts.
select case
        when b.earned is distinct from n.summed
            then format('%s %s: the lines do not sum to what was earned', b.month, b.user_id)
        when r.user_id is null
            then format('%s %s: there is no register row that it comes from', b.month, b.user_id)
        when b.as_of <> r.as_of
            then format('%s %s: it is as of %s, its register row as of %s', b.month, b.user_id, b.as_of, r.as_of)
    end as problem
from balances b
left join pay_registers r on r.tenant_id = b.tenant_id and r.month = b.month and r.user_id = b.user_id
cross join lateral (
    select coalesce(sum((line ->> 'amount')::numeric), 0) as summed from json_array_elements(b.lines) line
) n
where b.tenant_id = :tenant_id
