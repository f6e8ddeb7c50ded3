-- Earmark the nets above 0 of payslips for the pay of their run; again changes nothing.
insert into payable_earmarks (tenant_id, run_id, user_id, payslip_id, currency, amount)
select :tenant_id, :payroll_run_id, r.user_id, r.payslip_id, r.currency, r.amount
from unnest(cast(:user_ids as uuid[]), cast(:payslip_ids as uuid[]), cast(:currencies as text[]),
    cast(:amounts as numeric[])) r (user_id, payslip_id, currency, amount)
where r.amount > 0
order by r.user_id
on conflict (tenant_id, run_id, user_id) do nothing
