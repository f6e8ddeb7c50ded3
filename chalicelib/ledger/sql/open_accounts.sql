-- Opens an employee's two accounts and the tenant's own, in each currency. Most are there already.
insert into ledger_accounts (tenant_id, kind, user_id, currency)
select :tenant_id, k.kind, case when k.is_personal then w.user_id end, w.currency
from (select distinct * from unnest(cast(:user_ids as uuid[]), cast(:currencies as text[]))) w (user_id, currency)
cross join (values ('payable', true), ('advances', true), ('sales_cost', false), ('wage_cost', false),
                   ('cash', false), ('taxes_withheld', false), ('deductions_withheld', false),
                   ('pay_carried', false)) k (kind, is_personal)
where not exists (
    select from ledger_accounts a where a.tenant_id = :tenant_id and a.kind = k.kind and a.currency = w.currency
      and a.owner_id = case when k.is_personal then w.user_id else :tenant_id end)
group by 1, 2, 3, 4 order by 2, 3, 4
on conflict do nothing
