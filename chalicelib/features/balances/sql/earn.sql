-- Computes what some employees have earned in one period, from their register rows and salaries (rules.md, section 4).
-- Arithmetic is exact until each line is rounded, half up, to the currency's minor unit: once, at its end.
--
-- What only some employees have is computed in subqueries of a `case`, which are lazy where a join would not be.
-- `offset 0` ends a step: what it computes is computed once.
with minor_units as (
    -- one row: the decimals that each currency has
    select cast(:minor_units as jsonb) as of_currency
),
in_force as (
    -- one row per employee and salary in force somewhere in the period
    select r.user_id, r.as_of, r.halves, r.day_extra, r.day_units, r.units, r.payable, r.working, r.lead_payable, r.lead_working,
        r.tail_working, s.amount as rate, s.currency, s.frequency, s.effective_from as since_on, until.until_on,
        ((select of_currency from minor_units) ->> s.currency)::integer as minor_units,
        greatest(s.effective_from, cast(:start_on as date)) as from_on,
        least(until.until_on, cast(:end_on as date)) as to_on,
        -- set: this salary is in force, and the day is over
        halves_of(s.effective_from, least(until.until_on, r.as_of), :start_on, :end_on) as counts
    from pay_registers r
    join salaries s on s.tenant_id = :tenant_id and s.user_id = r.user_id and s.effective_from <= :end_on
    cross join lateral (
        -- the day before the person's next salary
        select coalesce(min(n.effective_from) - 1, 'infinity') as until_on
        from salaries n
        where n.tenant_id = :tenant_id and n.user_id = s.user_id and n.effective_from > s.effective_from
    ) until
    where r.tenant_id = :tenant_id and r.month = :month and r.user_id {employees} and s.user_id {employees}
      and until.until_on >= :start_on
    offset 0
),
counted as (
    -- one row per line: how much of what
    select w.*,
        case frequency
            when 'weekly' then null
            when 'daily' then
                (bit_count((payable & counts)::bit(64)) * units
                 + case when day_units is null then 0 else (
                       -- what days on a shift of other units are worth more or less than the usual shift
                       select coalesce(sum((d % 10000 / 100.0 - units) * bit_count((payable & counts & (
                           3::bigint << 2 * (cast(:end_on as date) - cast(:start_on as date) - d / 10000)))::bit(64))), 0)
                       from unnest(day_units) d
                   ) end) / 2.0
                + case when :daily_paid_holidays then days_in(halves_coded(halves, '00000010') & counts) else 0 end
            else case :proration_basis
                when 'calendar_days' then days_in(halves_coded(halves, '01010111') & counts)
                else days_in(payable & working & counts) end
        end as days,
        case when day_extra is null or frequency = 'weekly' then 0 else (
            select coalesce(sum(d % 10000) / 100.0, 0) from unnest(day_extra) d
            where cast(:start_on as date) + d / 10000 between from_on and least(to_on, as_of)
        ) end as extra_days,
        case when frequency = 'monthly' then case :proration_basis
            when 'calendar_days' then cast(:end_on as date) - cast(:start_on as date) + 1
            else days_in(working) end
        end as divisor,
        case when frequency = 'weekly' then (
            -- the pay weeks that belong to this salary, as {{shares, words}}. The shares have the common denominator
            -- 360360, which every number of working halves from 1 to 14 divides: nothing is rounded before the end.
            select array[
                coalesce(sum(case when :weekly_rule = 'prorated' and working_halves > 0
                    then payable_halves * (360360 / working_halves) else 360360 end), 0)::text,
                case :weekly_rule when 'prorated' then coalesce(string_agg(
                        case when working_halves > 0 then payable_halves || '/' || working_halves else '1' end,
                        ' + ' order by last_on), '0')
                    else count(*)::text end]
            from (
                select last_on,
                    bit_count((payable & weekly_days & halves_of(week_on, last_on, :start_on, :end_on))::bit(64))
                    + bit_count((lead_payable & weekly_lead_days
                        & halves_of(week_on, last_on, :lead_on, cast(:start_on as date) - 1))::bit(64))
                        as payable_halves,
                    bit_count((working & halves_of(week_on, week_on + 6, :start_on, :end_on))::bit(64))
                    + bit_count((lead_working
                        & halves_of(week_on, week_on + 6, :lead_on, cast(:start_on as date) - 1))::bit(64))
                    + bit_count((tail_working
                        & halves_of(week_on, week_on + 6, cast(:end_on as date) + 1, :tail_on))::bit(64))
                        as working_halves
                from (
                    -- a week's last day is the last one in it on a weekly salary and in employment; the week belongs
                    -- to the salary in force then
                    select week_on, least(week_on + 6, left_on, until_on) as last_on, weekly_days, weekly_lead_days
                    from (
                        select cast(:lead_on as date) + 7 * n as week_on
                        from generate_series(0, (cast(:tail_on as date) - cast(:lead_on as date)) / 7) n
                    ) starts
                    cross join (
                        select e.left_on from employments e where e.tenant_id = :tenant_id and e.user_id = w.user_id
                    ) employment
                    cross join (
                        -- set: some weekly salary of the person is in force, in the period and in the days of its
                        -- first pay week before it
                        select bit_or(halves_of(since, upto, :start_on, :end_on)) as weekly_days,
                            bit_or(halves_of(since, upto, :lead_on, cast(:start_on as date) - 1)) as weekly_lead_days,
                            min(since) filter (where since > w.since_on) as next_weekly_on
                        from (
                            select frequency, effective_from as since,
                                coalesce(lead(effective_from) over (order by effective_from) - 1, 'infinity') as upto
                            from salaries
                            where tenant_id = :tenant_id and user_id = w.user_id and effective_from <= :tail_on
                        ) salary
                        where salary.frequency = 'weekly'
                    ) weekly
                    where next_weekly_on is null or next_weekly_on > least(week_on + 6, left_on)
                ) ends
                where last_on >= week_on and last_on between w.from_on and least(w.to_on, w.as_of)
            ) weeks
            where payable_halves > 0
        ) end as weeks
    from in_force w
    offset 0
),
lines as (
    select user_id, as_of, currency, frequency, from_on, to_on, round(rate, minor_units) as rate,
        trim_scale(coalesce(days, round(weeks[1]::numeric / 360360, 4))) as quantity,
        trim_scale(extra_days) as extra_days, trim_scale(divisor) as divisor, weeks[2] as weeks,
        coalesce(round(case frequency
            when 'weekly' then rate * weeks[1]::numeric / 360360
            when 'daily' then rate * (days + extra_days)
            else rate * (days + extra_days) / nullif(divisor, 0) end, minor_units), 0) as amount
    from counted
    offset 0
),
earned as (
    -- one row per employee
    select user_id, max(as_of) as as_of, max(currency) as currency, sum(amount) as earned,
        json_agg(json_build_object(
            'frequency', frequency, 'from', from_on, 'to', to_on, 'rate', rate::text,
            'quantity', quantity, 'extra_days', extra_days, 'divisor', divisor,
            'formula', case
                when frequency = 'weekly' then concat(rate, ' x (', weeks, ') weeks')
                when extra_days > 0 then concat(rate, ' x (', quantity, ' + ', extra_days, ')', ' / ' || divisor)
                else concat(rate, ' x ', quantity, ' / ' || divisor) end,
            'amount', amount::text) order by from_on) as lines
    from lines
    group by user_id
)
insert into balances as b (tenant_id, month, user_id, as_of, currency, earned, lines)
select :tenant_id, :month, user_id, as_of, currency, earned, lines
from earned
on conflict (tenant_id, month, user_id) do update
    set (as_of, currency, earned, lines) = (select excluded.as_of, excluded.currency, excluded.earned, excluded.lines)
    -- a row that says the same already costs no write
    where (b.as_of, b.currency, b.earned, b.lines::text)
        is distinct from (excluded.as_of, excluded.currency, excluded.earned, excluded.lines::text)
