-- One row per payslip of a calculated run: its lines come to its totals, and these to its net. Lines are the salary
-- earned, one amount for each component of the run's snapshot, and one-off lines. Problems name no amounts.
with
runs as (
    -- one row per run: where the salary stands among its inputs, and the category of each of its components
    select r.id, r.month,
        (
            select n.place from jsonb_array_elements_text(r.plan -> 'inputs') with ordinality n (name, place)
            where n.name = 'earned_salary'
        ) as salary_at,
        array(
            select c.component ->> 'category'
            from jsonb_array_elements(r.plan -> 'components') with ordinality c (component, place) order by c.place
        ) as categories
    from payroll_runs r where r.tenant_id = :tenant_id and r.status in ('calculated', 'approved', 'partly_paid', 'paid')
)
select case
        when cardinality(p.amounts) <> cardinality(r.categories)
            then format('%s: it has another number of components than its plan', n.payslip)
        when p.net <> p.gross - p.deductions - p.taxes
            then format('%s: its net is not gross less deductions and taxes', n.payslip)
        when p.gross <> coalesce(p.inputs[r.salary_at], 0) + l.earnings + o.earnings
            then format('%s: salary, earnings and what was added do not come to its gross', n.payslip)
        when p.deductions <> l.deductions + o.deductions
            then format('%s: its lines do not come to its deductions', n.payslip)
        when p.taxes <> l.taxes + o.taxes then format('%s: its lines do not come to its taxes', n.payslip)
        when p.benefits <> l.benefits + o.benefits then format('%s: its lines do not come to its benefits', n.payslip)
        when o.is_odd then format('%s: the parts of its arrears do not come to the line', n.payslip)
    end as problem
from runs r
join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
cross join lateral (
    select coalesce(sum(c.amount) filter (where c.category = 'earning'), 0) as earnings,
        coalesce(sum(c.amount) filter (where c.category = 'deduction'), 0) as deductions,
        coalesce(sum(c.amount) filter (where c.category = 'tax'), 0) as taxes,
        coalesce(sum(c.amount) filter (where c.category = 'benefit'), 0) as benefits
    from unnest(p.amounts, r.categories) c (amount, category)
) l
cross join lateral (
    select coalesce(sum(amount) filter (where category = 'earning'), 0) as earnings,
        coalesce(sum(amount) filter (where category = 'deduction'), 0) as deductions,
        coalesce(sum(amount) filter (where category = 'tax'), 0) as taxes,
        coalesce(sum(amount) filter (where category = 'benefit'), 0) as benefits,
        -- of a net line of arrears, as they were until December 2026
        coalesce(bool_or(gross - deductions - taxes <> case category when 'earning' then amount else -amount end)
            filter (where kind = 'arrears' and code is null), false) as is_odd
    from payslip_one_offs x
    where x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
) o
cross join lateral (select format('payslip %s of %s %s', p.id, r.month, p.user_id) as payslip) n
