-- Two rows per currency: cash is what was paid and is on its way, and money on its way is that of the open payouts.
with
sums as (
    -- one row: what the payouts say
    select currency, coalesce(sum(amount) filter (where status = 'paid'), 0) as paid,
        coalesce(sum(amount) filter (where status in ('held', 'queued', 'sending', 'unknown', 'review')), 0) as open
    from payouts where tenant_id = :tenant_id group by currency
),
accounts as (
    select currency, -balance as cash from ledger_accounts where tenant_id = :tenant_id and kind = 'cash'
),
way as (
    -- one row: what the ledger says left for payouts that did not arrive, and was not given back
    select l.currency, sum(case l.event when 'payout' then l.amount else -l.amount end) as amount
    from ledger_entries l
    join payouts p on p.tenant_id = :tenant_id and p.id = l.subject_id
    where l.tenant_id = :tenant_id and l.event in ('payout', 'release')
      and p.status not in ('paid')
    group by l.currency
)
select case when n.cash <> n.paid + n.open
        then format('cash: %s %s have left, and payouts say %s paid and %s in flight', n.cash, currency, n.paid, n.open)
    end as problem
from accounts full join sums using (currency)
cross join lateral (
    select coalesce(cash, 0) as cash, coalesce(paid, 0) as paid, coalesce(open, 0) as open
) n
union all
select case when coalesce(way.amount, 0) <> coalesce(sums.open, 0)
        then format('in flight: %s %s by the ledger, %s by the open payouts', coalesce(way.amount, 0), currency,
            coalesce(sums.open, 0))
    end
from sums full join way using (currency)
