-- One row: how many debts a run of payouts leaves unpaid, by reason.
with earmarked as (
    select user_id, currency, sum(amount - netted) as amount from payable_earmarks
    where tenant_id = :tenant_id and waits group by user_id, currency
), owed as (
    -- what a run of payouts would pay; what payslips earmark waits for the pay of their own run
    select a.owner_id, a.currency, -a.balance - coalesce(e.amount, 0) as amount from ledger_accounts a
    left join earmarked e on e.user_id = a.owner_id and e.currency = a.currency
    where a.tenant_id = :tenant_id and a.kind = 'payable' and a.balance < 0
)
select count(*) filter (where currency = :currency and amount < :minimum) as below_minimum,
    count(*) filter (where blocked_by = 'no_bank_account') as without_bank_details,
    count(*) filter (where blocked_by = 'destination_held') as changed_bank_details
from (
    select o.*, {blocked_by} as blocked_by from owed o
    left join payout_destinations d on d.tenant_id = :tenant_id and d.user_id = o.owner_id
        and d.superseded_at is null
    where o.amount > 0
) waiting
