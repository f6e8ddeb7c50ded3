-- One row per payslip of an approved run: once the run is posted it is booked, each account with the payslip's amount;
-- before that likewise or not at all. One row per booked payslip of no such run, one per adjustment marked as paid, and
-- one per currency: what is carried is what payslips left below 0 and no later one took.
with
payslip_amounts as (
    -- one row per payslip: what it should have posted to each account; credits count up, but for wage_cost
    select p.id, p.user_id, p.currency, p.net, r.month, r.posted_at is not null as is_posted,
        greatest(p.net, 0) as payable,
        p.taxes + o.arrears_taxes as taxes,
        p.deductions - o.arrears_down - o.carried_over + o.arrears_deductions as deductions,
        o.carried_over - greatest(-p.net, 0) as carried,
        -- what the work of this period and the corrections of earlier ones cost: no difference is counted net of taxes
        p.gross - o.arrears_up + o.arrears_gross as cost,
        p.carried_into
    from payroll_runs r
    join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
    cross join lateral (
        -- arrears without a code are the net lines of before December 2026; all others are in their category's sum
        select coalesce(sum(amount) filter (where kind = 'arrears' and code is null and category = 'earning'), 0)
                as arrears_up,
            coalesce(sum(amount) filter (where kind = 'arrears' and code is null and category = 'deduction'), 0)
                as arrears_down,
            coalesce(sum(gross) filter (where kind = 'arrears'), 0) as arrears_gross,
            coalesce(sum(deductions) filter (where kind = 'arrears'), 0) as arrears_deductions,
            coalesce(sum(taxes) filter (where kind = 'arrears'), 0) as arrears_taxes,
            coalesce(sum(amount) filter (where kind = 'carried_over'), 0) as carried_over
        from payslip_one_offs x
        where x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
    ) o
    where r.tenant_id = :tenant_id and r.approved_at is not null
),
booked as (
    -- one row per payslip: what was booked
    select subject_id as id,
        sum(case 'payable' when credit then amount when debit then -amount else 0 end) as payable,
        sum(case 'taxes_withheld' when credit then amount when debit then -amount else 0 end) as taxes,
        sum(case 'deductions_withheld' when credit then amount when debit then -amount else 0 end) as deductions,
        sum(case 'pay_carried' when credit then amount when debit then -amount else 0 end) as carried,
        sum(case 'wage_cost' when debit then amount when credit then -amount else 0 end) as cost,
        array_agg(distinct user_id) as user_ids, array_agg(distinct currency) as currencies
    from ledger_entries where tenant_id = :tenant_id and event = 'payroll'
    group by subject_id
),
waiting as (
    -- one row per currency: what payslips that are booked left below 0, and no booked one has deducted
    select s.currency, sum(-s.net) as amount
    from payslip_amounts s
    join booked b on b.id = s.id
    where s.net < 0 and not exists (select from booked later where later.id = s.carried_into)
    group by s.currency
),
carried as (
    select currency, balance as amount from ledger_accounts where tenant_id = :tenant_id and kind = 'pay_carried'
)
select case
        when s.id is null then format('payslip %s: it is booked, and not of an approved run', b.id)
        when b.id is null and s.is_posted and (s.payable, s.taxes, s.deductions, s.carried, s.cost) <> (0, 0, 0, 0, 0)
            then format('payslip %s of %s %s: its run is posted, and it is not booked', s.id, s.month, s.user_id)
        when b.user_ids <> array[s.user_id] or b.currencies <> array[s.currency]
            then format('payslip %s of %s %s: it is booked for another person, or in another currency',
                s.id, s.month, s.user_id)
        when (b.payable, b.taxes, b.deductions, b.carried, b.cost)
            <> (s.payable, s.taxes, s.deductions, s.carried, s.cost)
            then format('payslip %s of %s %s: booked payable %s, taxes %s, deductions %s, carried %s, cost %s'
                ' instead of %s, %s, %s, %s, %s', s.id, s.month, s.user_id,
                b.payable, b.taxes, b.deductions, b.carried, b.cost,
                s.payable, s.taxes, s.deductions, s.carried, s.cost)
    end as problem
from payslip_amounts s full join booked b on b.id = s.id
union all
select case when coalesce(carried.amount, 0) <> coalesce(waiting.amount, 0)
        then format('carried: %s %s by the ledger, %s by the payslips below 0 that nothing has taken',
            coalesce(carried.amount, 0), currency, coalesce(waiting.amount, 0))
    end
from waiting full join carried using (currency)
union all
select case
        when o.amount is null then format('adjustment %s: it is paid by payslip %s, which does not say so',
            a.id, a.payslip_id)
        when o.amount <> a.amount then format('adjustment %s of %s %s: its payslip pays another amount',
            a.id, a.amount, a.currency)
    end
from payroll_adjustments a
left join lateral (
    select case x.category when 'earning' then x.amount else -x.amount end as amount
    from payslips p
    join payslip_one_offs x on x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
        and x.adjustment_id = a.id
    where p.tenant_id = :tenant_id and p.id = a.payslip_id
) o on true
where a.tenant_id = :tenant_id and a.payslip_id is not null
