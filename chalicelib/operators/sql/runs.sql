-- One row per calculated run, currency and category: the run's summary (its register), the sum of its payslips, the sum of
-- their lines and, once the run is posted, the ledger come to the same. Problems name no person's amounts.
with
runs as (
    select r.id, r.month, r.kind, r.summary, r.plan, r.posted_at is not null as is_posted
    from payroll_runs r where r.tenant_id = :tenant_id and r.status in ('calculated', 'approved', 'partly_paid', 'paid')
),
-- the total of a payslip to which the lines of a component's category belong
totals (line_category, category) as (
    values ('earning', 'gross'), ('deduction', 'deductions'), ('tax', 'taxes'), ('benefit', 'benefits')
),
summaries as (
    select r.id as run_id, t.totals ->> 'currency' as currency, c.category,
        (t.totals ->> c.category)::numeric as amount
    from runs r
    cross join jsonb_array_elements(r.summary -> 'totals') t (totals)
    cross join totals c
),
columns as (
    -- one row per column of a run's payslips that is a line: the salary among the inputs, and every component
    select r.id as run_id, 'inputs' as source, i.place, 'gross' as category
    from runs r
    cross join jsonb_array_elements_text(r.plan -> 'inputs') with ordinality i (name, place)
    where i.name = 'earned_salary'
    union all
    select r.id, 'amounts', c.place, t.category
    from runs r
    cross join jsonb_array_elements(r.plan -> 'components') with ordinality c (component, place)
    join totals t on t.line_category = c.component ->> 'category'
),
lines as (
    -- one row per line of a payslip; `beside`: by how much the ledger differs from it by design
    select p.run_id, p.currency, c.category,
        case c.source when 'inputs' then p.inputs[c.place] else p.amounts[c.place] end as amount, 0 as beside
    from columns c
    join payslips p on p.tenant_id = :tenant_id and p.run_id = c.run_id
    union all
    -- what is carried over from earlier payslips is the company's own
    select p.run_id, p.currency, t.category, x.amount,
        case x.kind when 'carried_over' then -x.amount else 0 end
    from runs r
    join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
    join payslip_one_offs x on x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
    join totals t on t.line_category = x.category
    union all
    -- net lines of arrears, as they were until December 2026: the ledger has the parts that they are made of
    select p.run_id, p.currency, part.category, 0, part.beside
    from runs r
    join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
    join payslip_one_offs x on x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
    cross join lateral (values
        ('gross', x.gross - case x.category when 'earning' then x.amount else 0 end),
        ('deductions', x.deductions - case x.category when 'deduction' then x.amount else 0 end),
        ('taxes', x.taxes)
    ) part (category, beside)
    where x.kind = 'arrears' and x.code is null
),
registers as (
    -- one row per run, currency and category: the sum of the payslips, of their lines, and what is to be booked
    select run_id, currency, category, p.amount, coalesce(l.amount, 0) as lines,
        p.amount + coalesce(l.beside, 0) as to_book
    from (
        select p.run_id, p.currency, c.category, sum(c.amount) as amount
        from runs r
        join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
        cross join lateral (values
            ('gross', p.gross), ('deductions', p.deductions), ('taxes', p.taxes), ('benefits', p.benefits)
        ) c (category, amount)
        group by p.run_id, p.currency, c.category
    ) p
    left join (
        select run_id, currency, category, sum(amount) as amount, sum(beside) as beside
        from lines group by run_id, currency, category
    ) l using (run_id, currency, category)
),
booked as (
    -- benefits are shown and not paid: the ledger has no account for them
    select p.run_id, p.currency, c.category, sum(c.amount) as amount
    from (
        select p.id, p.run_id, p.currency from runs r
        join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
    ) p
    join ledger_entries e on e.tenant_id = :tenant_id and e.subject_id = p.id and e.event = 'payroll'
    cross join lateral (values
        ('gross', case 'wage_cost' when e.debit then e.amount when e.credit then -e.amount else 0 end),
        ('deductions',
            case 'deductions_withheld' when e.credit then e.amount when e.debit then -e.amount else 0 end),
        ('taxes', case 'taxes_withheld' when e.credit then e.amount when e.debit then -e.amount else 0 end)
    ) c (category, amount)
    group by p.run_id, p.currency, c.category
)
select case
        when r.summary is not null and coalesce(s.amount, 0) <> coalesce(n.amount, 0)
            then format('%s: its summary says %s, its payslips come to %s', of_run.title, coalesce(s.amount, 0),
                coalesce(n.amount, 0))
        when n.amount <> n.lines
            then format('%s: its payslips come to %s, their lines to %s', of_run.title, n.amount, n.lines)
        when r.is_posted and category <> 'benefits' and coalesce(b.amount, 0) <> n.to_book
            then format('%s: the ledger has %s, its payslips come to %s', of_run.title, coalesce(b.amount, 0), n.to_book)
    end as problem
from registers n
full join summaries s using (run_id, currency, category)
left join booked b using (run_id, currency, category)
join runs r on r.id = run_id
cross join lateral (
    select format('%s of the %s run of %s (%s %s)', category, replace(r.kind, '_', '-'), r.month, currency, run_id)
        as title
) of_run
