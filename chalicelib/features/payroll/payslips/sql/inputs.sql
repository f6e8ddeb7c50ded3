-- The inputs of a payroll calculation for some employees of a period: one row each, in the order of their ids.
--
-- `inputs` has one value for each of snapshot.INPUTS, in that order. They stay text until a formula uses one: most are
-- only stored with the payslip.
with employees as (
    -- one row per employee of the period: the register and the balance
    select r.user_id, e.joined_on, least(e.left_on, :end_on) as last_on, b.currency, b.earned,
        days_in(r.working) as working_days, r.present_days, r.od_days, r.paid_leave_days, r.lop_days, r.absent_days, r.holidays, r.week_offs, r.extra_days,
        r.payable_shifts, r.ot_hours, r.late_count, r.early_out_count
    from pay_registers r
    join employments e on e.tenant_id = :tenant_id and e.user_id = r.user_id
    left join balances b on b.tenant_id = :tenant_id and b.month = :month and b.user_id = r.user_id
    where r.tenant_id = :tenant_id and r.month = :month and r.user_id {employees}
      and (cast(:only as uuid[]) is null or r.user_id = any(:only))
    offset 0
),
priced as (
    -- one row per employee: the salary in force at the end, and its daily rate
    select p.*, s.amount as base_salary, coalesce(p.currency, s.currency, :currency) as pay_currency,
        round(case s.frequency
            when 'daily' then s.amount
            -- a quotient has as many places as its dividend, and of large amounts no more
            when 'weekly' then s.amount * 1.00000000000000000000 / :week_days
            else s.amount * 1.00000000000000000000 / nullif(p.working_days, 0) end, 10) as daily_rate
    from employees p
    left join lateral (
        select amount, currency, frequency from salaries s
        where s.tenant_id = :tenant_id and s.user_id = p.user_id and s.effective_from <= p.last_on
        order by s.effective_from desc limit 1
    ) s on true
    offset 0
)
-- the columns are in the order in which payslip_rows.PayslipBuilder takes them
select p.user_id::text as user_id, p.pay_currency as currency,
    array[
        coalesce(base_salary, 0), case when :pays_salary then coalesce(earned, 0) else 0 end, working_days,
        present_days, od_days, paid_leave_days, lop_days, absent_days, holidays, week_offs, extra_days, payable_shifts, ot_hours,
        late_count, early_out_count, round(daily_rate * 60 / :full_day_minutes, 10), daily_rate,
        extract(year from age(last_on, joined_on)),
        case when :with_kpi then kpi_score_of(:tenant_id, p.user_id, :end_on) end
    ]::text as inputs,
    before.net as previous_net,
    not :needs_destination or exists (
        select from payout_destinations d
        where d.tenant_id = :tenant_id and d.user_id = p.user_id and d.superseded_at is null
          and d.kind = any(cast(:payable_kinds as text[]))
    ) as has_bank_details
from priced p
left join payslips before on before.tenant_id = :tenant_id and before.run_id = :previous_run_id
    and before.user_id = p.user_id and before.currency = p.pay_currency
order by p.user_id
