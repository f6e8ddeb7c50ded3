-- The cycles that may be acted on, as few rows as there are different ones, with what their rule says about dates.
select distinct r.id as expiry_rule_id, r.expire_after_days, r.expiry_date_formula, a.cycle_start_on, a.cycle_end_on,
    a.expires_on
from leave_allocations a
join leave_types t on t.tenant_id = :tenant_id and t.id = a.leave_type_id
join leave_expiry_rules r on r.tenant_id = :tenant_id and r.id = t.expiry_rule_id and r.is_active
where a.tenant_id = :tenant_id and a.user_id {employees} and a.expires_on < :as_of
  and (a.expired_at is null or a.remaining_days > 0)
