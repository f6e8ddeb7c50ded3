-- The employees who have a sale to advance, or anything payable that is not earmarked for a payroll run. Whether a sale
-- has its advance already is looked up in the chunk; a run with nothing to do makes nothing.
with earmarked as (
    select user_id, currency, sum(amount - netted) as amount from payable_earmarks
    where tenant_id = :tenant_id and waits group by user_id, currency
), people as (
    select a.owner_id as user_id from ledger_accounts a
    left join earmarked e on e.user_id = a.owner_id and e.currency = a.currency
    where a.tenant_id = :tenant_id and a.kind = 'payable' and a.balance < 0
      and -a.balance > coalesce(e.amount, 0)
    union
    select distinct user_id from pending_sales where tenant_id = :tenant_id and :with_sales
)
select user_id from people
where cast(:user_ids as uuid[]) is null or user_id = any(cast(:user_ids as uuid[]))
