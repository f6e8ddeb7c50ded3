-- One row per payslip earmarked in payable: its net is what its run's payouts paid and have in flight, what was netted
-- against debts, and what still waits; it waits if and only if none of its payouts is in flight or paid.
with
sent as (
    -- one row: a payslip's payouts
    select payslip_id, sum(amount) as amount, count(*) as payouts from payouts
    where tenant_id = :tenant_id and payslip_id is not null
      and status in ('held', 'queued', 'sending', 'unknown', 'review', 'paid')
    group by payslip_id
),
netted as (
    select payslip_id, sum(amount) as amount from payable_nettings where tenant_id = :tenant_id group by payslip_id
)
select case
        when p.net is distinct from k.amount
            then format('payslip %s of %s: %s is kept in payable for it, and its net is %s', k.payslip_id, k.user_id,
                k.amount, p.net)
        when k.netted <> coalesce(n.amount, 0)
            then format('payslip %s of %s: %s of it is netted, and the nettings come to %s', k.payslip_id, k.user_id,
                k.netted, coalesce(n.amount, 0))
        when case when k.waits then 0 else k.amount - k.netted end <> coalesce(s.amount, 0)
            or coalesce(s.payouts, 0) > 1
            then format('payslip %s of %s: %s %s %s, and its payouts pay %s', k.payslip_id, k.user_id,
                case when k.waits then 'still to be paid are' else 'paid are' end, k.amount - k.netted, k.currency,
                coalesce(s.amount, 0))
    end as problem
from payable_earmarks k
left join payslips p on p.tenant_id = :tenant_id and p.id = k.payslip_id
left join sent s on s.payslip_id = k.payslip_id
left join netted n on n.payslip_id = k.payslip_id
where k.tenant_id = :tenant_id
