-- One row per person and currency, the conservation law of money: payable, in flight and paid is the sum of their sales
-- and payslips. A pending sale comes to its advance, an approved one to its earning, a declined one to nothing; a
-- payslip that is booked comes to its net, or to nothing where that is below 0.
with
earned as (
    select s.user_id, s.currency,
        sum(case latest.status when 'approved' then s.earning when 'declined' then 0
            else coalesce(advance.amount, 0) end) as amount
    from sales s
    left join lateral (
        select status from sale_decisions d where d.tenant_id = :tenant_id and d.sale_id = s.id
        order by d.revision desc limit 1
    ) latest on true
    left join lateral (
        select amount from ledger_entries e
        where e.tenant_id = :tenant_id and e.subject_id = s.id and e.event = 'advance' and e.revision = 1
          and e.line = 1 offset 0
    ) advance on true
    where s.tenant_id = :tenant_id
    group by 1, 2
),
salaries as (
    -- a run that is being posted has booked some of its payslips, each as a whole
    select p.user_id, p.currency, sum(greatest(p.net, 0)) as amount
    from payroll_runs r
    join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
    where r.tenant_id = :tenant_id and r.approved_at is not null and (r.posted_at is not null or exists (
        select from ledger_entries e
        where e.tenant_id = :tenant_id and e.subject_id = p.id and e.event = 'payroll'))
    group by 1, 2
),
others as (
    -- whatever is owed for something else
    select user_id, currency, sum(case credit when 'payable' then amount else -amount end) as amount
    from ledger_entries
    where tenant_id = :tenant_id and 'payable' in (debit, credit)
      and event not in ('advance', 'approve', 'decline', 'reverse', 'payroll', 'payout', 'release')
    group by 1, 2
),
payable as (
    select owner_id as user_id, currency, -balance as amount from ledger_accounts
    where tenant_id = :tenant_id and kind = 'payable'
),
sent as (
    select user_id, currency,
        sum(amount) filter (where status = 'paid') as paid,
        sum(amount) filter (where status in ('held', 'queued', 'sending', 'unknown', 'review')) as in_flight
    from payouts where tenant_id = :tenant_id group by 1, 2
)
select case when n.payable + n.in_flight + n.paid <> n.earned
        then format('%s: payable %s, in flight %s and paid %s make %s %s, their sales and payslips come to %s',
            user_id, n.payable, n.in_flight, n.paid, n.payable + n.in_flight + n.paid, currency, n.earned)
    end as problem
from payable full join earned using (user_id, currency) full join salaries using (user_id, currency)
full join others using (user_id, currency) full join sent using (user_id, currency)
cross join lateral (
    select coalesce(payable.amount, 0) as payable, coalesce(sent.in_flight, 0) as in_flight,
        coalesce(sent.paid, 0) as paid,
        coalesce(earned.amount, 0) + coalesce(salaries.amount, 0) + coalesce(others.amount, 0) as earned
) n
