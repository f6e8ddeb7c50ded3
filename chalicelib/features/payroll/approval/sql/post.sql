-- Posts the payslips of some employees of an approved run: each in up to five lines, zero lines left out.
-- Their accounts are locked. Lines that exist stay as they are: a repeated chunk posts nothing.
with one_offs as (
    -- one row per employee with one-off lines
    select user_id,
        -- Arrears of a component are in their category's total already. Those without a code, of runs calculated before
        -- December 2026, are netted on the payslip, and the authorities are owed each part of them.
        sum(deductions) filter (where kind = 'arrears' and code is null) as deductions_anew,
        sum(taxes) filter (where kind = 'arrears' and code is null) as taxes_anew,
        -- on the payslip these two are deductions, but no third party is owed them
        sum(amount) filter (where kind = 'arrears' and code is null and category = 'deduction') as arrears_down,
        sum(amount) filter (where kind = 'carried_over') as carried_over
    from payslip_one_offs
    where tenant_id = :tenant_id and run_id = :run_id and user_id between :first and :last
    group by user_id
)
insert into ledger_entries
    (tenant_id, user_id, subject_id, event, revision, line, debit, credit, currency, amount, booked_at)
select :tenant_id, p.user_id, p.id, 'payroll', 1, l.line,
    -- ledger amounts are positive: a negative one is posted the other way
    case when l.amount > 0 then l.debit else l.credit end, case when l.amount > 0 then l.credit else l.debit end,
    p.currency, abs(l.amount), :now
from payslips p
left join one_offs o on o.user_id = p.user_id
cross join lateral (values
    (1, 'wage_cost', 'payable', greatest(p.net, 0)),
    (2, 'wage_cost', 'taxes_withheld', p.taxes + coalesce(o.taxes_anew, 0)),
    (3, 'wage_cost', 'deductions_withheld', p.deductions - coalesce(o.arrears_down, 0) - coalesce(o.carried_over, 0)
        + coalesce(o.deductions_anew, 0)),
    (4, 'wage_cost', 'pay_carried', coalesce(o.carried_over, 0)),
    (5, 'pay_carried', 'wage_cost', greatest(-p.net, 0))
) l (line, debit, credit, amount)
where p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id between :first and :last and l.amount <> 0
order by p.user_id, l.line
on conflict (tenant_id, subject_id, event, revision, line) do nothing
