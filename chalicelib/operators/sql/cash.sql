-- Two rows per currency: cash is what is paid and in flight, and money in flight is that of the open payouts.
with
sums as (
    -- one row per currency: the sums of the payouts
    select currency, coalesce(sum(amount) filter (where status = 'paid'), 0) as paid,
        coalesce(sum(amount) filter (where status in ('held', 'queued', 'sending', 'unknown', 'review')), 0) as open
    from payouts where tenant_id = :tenant_id group by currency
),
accounts as (
    select currency, -balance as cash from ledger_accounts where tenant_id = :tenant_id and kind = 'cash'
),
in_flight as (
    -- one row per currency: by the ledger, what was sent for payouts that are not paid, less what was released
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
select case when coalesce(in_flight.amount, 0) <> coalesce(sums.open, 0)
        then format('in flight: %s %s by the ledger, %s by the open payouts', coalesce(in_flight.amount, 0), currency,
            coalesce(sums.open, 0))
    end
from sums full join in_flight using (currency)
