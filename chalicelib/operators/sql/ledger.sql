-- One row per account, and one per currency: a balance is the sum of its account's lines, and all balances sum to zero.
with
-- one row: one side of a line; debits count up, credits down
sides as (
    select debit as kind, user_id, currency, amount from ledger_entries where tenant_id = :tenant_id
    union all
    select credit, user_id, currency, -amount from ledger_entries where tenant_id = :tenant_id
),
-- one row per account: the sum of its lines
summed as (
    select kind, currency, sum(amount) as amount,
        case when kind in ('payable', 'advances') then user_id else cast(:tenant_id as uuid) end as owner_id
    from sides group by 1, 2, 4
),
accounts as (
    select kind, owner_id, currency, balance from ledger_accounts where tenant_id = :tenant_id
)
select case
        when a.balance is null
            then format('%s of %s: its lines come to %s %s, and it was never opened',
                kind, owner_id, s.amount, currency)
        when a.balance <> coalesce(s.amount, 0)
            then format('%s of %s: its balance is %s %s, its lines come to %s',
                kind, owner_id, a.balance, currency, coalesce(s.amount, 0))
    end as problem
from accounts a full join summed s using (kind, owner_id, currency)
union all
select case when sum(balance) <> 0 then format('all accounts together: %s %s and not 0', sum(balance), currency) end
from accounts group by currency
