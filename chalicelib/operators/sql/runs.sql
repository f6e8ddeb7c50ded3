-- One row per calculated run, currency and category: what the run's summary says (its register), what its payslips say,
-- what their lines come to, and, once the run is posted, what the ledger has booked. No person's amounts are told.
with
runs as (
    -- one row per run: where the salary stands among its inputs, and the category of each of its components
    select r.id, r.month, r.kind, r.summary, r.posted_at is not null as is_posted,
        (
            select n.place from jsonb_array_elements_text(r.plan -> 'inputs') with ordinality n (name, place)
            where n.name = 'earned_salary'
        ) as salary_at,
        array(
            select c.said ->> 'category'
            from jsonb_array_elements(r.plan -> 'components') with ordinality c (said, place) order by c.place
        ) as categories
    from payroll_runs r where r.tenant_id = :tenant_id and r.status in ('calculated', 'approved', 'partly_paid', 'paid')
),
summaries as (
    select r.id as run_id, t.said ->> 'currency' as currency, c.category, (t.said ->> c.category)::numeric as amount
    from runs r
    cross join jsonb_array_elements(r.summary -> 'totals') t (said)
    cross join (values ('gross'), ('deductions'), ('taxes'), ('benefits')) c (category)
),
slips as (
    -- one row per payslip and category: its sum, its lines, and by how much the ledger differs from it by design
    select p.id, p.run_id, p.currency, c.category, c.amount, c.lines, c.beside
    from runs r
    join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
    cross join lateral (
        select coalesce(sum(a.amount) filter (where a.category = 'earning'), 0) as earnings,
            coalesce(sum(a.amount) filter (where a.category = 'deduction'), 0) as deductions,
            coalesce(sum(a.amount) filter (where a.category = 'tax'), 0) as taxes,
            coalesce(sum(a.amount) filter (where a.category = 'benefit'), 0) as benefits
        from unnest(p.amounts, r.categories) a (amount, category)
    ) l
    cross join lateral (
        select coalesce(sum(amount) filter (where category = 'earning'), 0) as earnings,
            coalesce(sum(amount) filter (where category = 'deduction'), 0) as deductions,
            coalesce(sum(amount) filter (where category = 'tax'), 0) as taxes,
            coalesce(sum(amount) filter (where category = 'benefit'), 0) as benefits,
            coalesce(sum(amount) filter (where kind = 'carried_over'), 0) as carried_over,
            -- Net lines of arrears, as they were until December 2026: the ledger has what they are made of.
            coalesce(sum(x.gross - case category when 'earning' then amount else 0 end)
                filter (where kind = 'arrears' and code is null), 0) as gross_beside,
            coalesce(sum(x.deductions - case category when 'deduction' then amount else 0 end)
                filter (where kind = 'arrears' and code is null), 0) as deductions_beside,
            coalesce(sum(x.taxes) filter (where kind = 'arrears' and code is null), 0) as taxes_beside
        from payslip_one_offs x
        where x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
    ) o
    cross join lateral (values
        ('gross', p.gross, coalesce(p.inputs[r.salary_at], 0) + l.earnings + o.earnings, o.gross_beside),
        -- what is carried over from earlier payslips is nobody's but the company's
        ('deductions', p.deductions, l.deductions + o.deductions, o.deductions_beside - o.carried_over),
        ('taxes', p.taxes, l.taxes + o.taxes, o.taxes_beside),
        ('benefits', p.benefits, l.benefits + o.benefits, 0)
    ) c (category, amount, lines, beside)
),
registers as (
    select run_id, currency, category, sum(amount) as amount, sum(lines) as lines, sum(amount + beside) as to_book
    from slips group by run_id, currency, category
),
booked as (
    -- benefits are told and not paid: the ledger has no account for them
    select p.run_id, p.currency, c.category, sum(c.amount) as amount
    from (select distinct id, run_id, currency from slips) p
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
