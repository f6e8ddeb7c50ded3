-- Marks the steps that are missing as over, and gives those to be told. Of two nights at once, one has each. What was
-- written is looked up by key: nobody knows how much it is beforehand, and a join of the two lists may take its square.
, written as (
    insert into leave_warnings (tenant_id, allocation_id, step, is_told, days, expires_on, warned_on)
    select :tenant_id, allocation_id, step, is_nearest, days, expires_on, :as_of from missing
    on conflict do nothing
    returning allocation_id, step, is_told, days, expires_on
)
select w.allocation_id, a.user_id, t.name as leave_type, w.days, w.expires_on,
    w.expires_on - cast(:as_of as date) as days_left, r.action, w.step
from written w
join leave_allocations a on a.tenant_id = :tenant_id and a.id = w.allocation_id
join leave_types t on t.tenant_id = :tenant_id and t.id = a.leave_type_id
join leave_expiry_rules r on r.tenant_id = :tenant_id and r.id = t.expiry_rule_id
where w.is_told
