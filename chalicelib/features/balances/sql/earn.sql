-- Computes what some employees have earned in one period, from their register rows and salaries (rules.md, section 4).
-- Arithmetic is exact until each line is rounded, half up, to the currency's minor unit: once, at its end.
with segments as (
    -- one row per salary up to the end of the period's last pay week, with the days it is in force
    select user_id, amount as rate, currency, frequency, effective_from as from_on,
        coalesce(lead(effective_from) over (partition by user_id order by effective_from) - 1, 'infinity') as to_on
    from salaries
    where tenant_id = :tenant_id and user_id {among} and effective_from <= :tail_on
),
salaried as (
    -- the same, knowing the weekly salaries around it
    select *,
        -- set: some weekly salary is in force, in the period and in the days of its first pay week before it
        bit_or(case frequency when 'weekly' then halves_of(from_on, to_on, :start_on, :end_on) else 0 end) over mine
            as weekly_days,
        bit_or(case frequency when 'weekly' then halves_of(from_on, to_on, :lead_on, cast(:start_on as date) - 1)
                              else 0 end) over mine as weekly_lead_days,
        min(from_on) filter (where frequency = 'weekly') over (
            partition by user_id order by from_on rows between 1 following and unbounded following) as next_weekly_on
    from segments
    window mine as (partition by user_id)
),
rows as (
    -- one row per employee and salary in the period: the register's row with its masks
    select r.user_id, r.as_of, r.day_extra, r.day_units, r.units, r.working, r.lead_payable, r.lead_working,
        r.tail_working, g.rate, g.currency, g.frequency, g.weekly_days, g.weekly_lead_days, g.next_weekly_on,
        g.to_on as until_on, e.left_on, c.minor_units,
        greatest(g.from_on, cast(:start_on as date)) as from_on,
        least(g.to_on, cast(:end_on as date)) as to_on,
        -- set: the half is present, on-duty or paid leave
        halves_coded(r.halves, '01010100') as payable,
        halves_coded(r.halves, '00000010') as holiday,
        halves_coded(r.halves, '00000001') as day_off,
        -- set: this salary is in force, and the day is over
        halves_of(g.from_on, least(g.to_on, r.as_of), :start_on, :end_on) as in_force
    from pay_registers r
    join salaried g on g.user_id = r.user_id and g.to_on >= :start_on and g.from_on <= :end_on
    join currencies c on c.code = g.currency
    join employments e on e.tenant_id = :tenant_id and e.user_id = r.user_id
    where r.tenant_id = :tenant_id and r.month = :month and r.user_id {among} and e.user_id {among}
),
counted as (
    -- one row per line: how much of what, divided by what
    select w.*,
        case frequency
            when 'weekly' then weeks.share
            when 'daily' then
                (bit_count((payable & in_force)::bit(64)) * units + coalesce(other_units.more, 0)) / 2.0
                + case when :daily_paid_holidays then days_in(holiday & in_force) else 0 end
            else case :proration_basis when 'calendar_days' then days_in((payable | holiday | day_off) & in_force)
                                       else days_in(payable & working & in_force) end
        end as quantity,
        case frequency
            when 'weekly' then weeks.whole
            when 'daily' then 1
            else case :proration_basis when 'calendar_days' then cast(:end_on as date) - cast(:start_on as date) + 1
                                       else days_in(working) end
        end as divisor,
        case when frequency = 'weekly' then 0 else coalesce(extra.days, 0) end as extra_days,
        weeks.said
    from rows w
    left join lateral (
        select sum(d % 10000) / 100.0 as days from unnest(day_extra) d
        where cast(:start_on as date) + d / 10000 between from_on and least(to_on, as_of)
    ) extra on day_extra is not null
    left join lateral (
        select sum((d % 10000 / 100.0 - units)
            * bit_count((payable & in_force
                & (3::bigint << 2 * (cast(:end_on as date) - cast(:start_on as date) - d / 10000)))::bit(64))) as more
        from unnest(day_units) d
    ) other_units on day_units is not null
    left join lateral (
        -- the pay weeks that belong to this salary: whole ones, or shares with the common denominator 360360, which
        -- every number of working halves from 1 to 14 divides, so that nothing is rounded before the end
        select case :weekly_rule when 'prorated' then 360360 else 1 end as whole,
            coalesce(sum(case :weekly_rule
                when 'prorated' then case when working_halves > 0 then payable_halves * (360360 / working_halves)
                                          else 360360 end
                else 1 end), 0) as share,
            case :weekly_rule
                when 'prorated' then coalesce(string_agg(
                    case when working_halves > 0 then payable_halves || '/' || working_halves else '1' end,
                    ' + ' order by last_on), '0')
                else count(*)::text end as said
        from (
            select last_on,
                bit_count((payable & weekly_days & halves_of(week_on, last_on, :start_on, :end_on))::bit(64))
                + bit_count((lead_payable & weekly_lead_days
                    & halves_of(week_on, last_on, :lead_on, cast(:start_on as date) - 1))::bit(64)) as payable_halves,
                bit_count((working & halves_of(week_on, week_on + 6, :start_on, :end_on))::bit(64))
                + bit_count((lead_working & halves_of(week_on, week_on + 6, :lead_on, cast(:start_on as date) - 1))::bit(64))
                + bit_count((tail_working & halves_of(week_on, week_on + 6, cast(:end_on as date) + 1, :tail_on))::bit(64))
                    as working_halves
            from (
                -- a week's last day is the last one in it on a weekly salary, or of employment; it belongs to the
                -- salary in force then
                select week_on, least(week_on + 6, left_on, until_on) as last_on
                from (
                    select cast(:lead_on as date) + 7 * n as week_on
                    from generate_series(0, (cast(:tail_on as date) - cast(:lead_on as date)) / 7) n
                ) starts
                where next_weekly_on is null or next_weekly_on > least(week_on + 6, left_on)
            ) ends
            where last_on >= week_on and last_on between w.from_on and least(w.to_on, w.as_of)
        ) week
        where payable_halves > 0
    ) weeks on frequency = 'weekly'
),
lines as (
    select *,
        coalesce(round(rate * (quantity + extra_days) / nullif(divisor, 0), minor_units), 0) as amount
    from counted
),
earned as (
    -- one row per employee
    select user_id, max(as_of) as as_of, max(currency) as currency, sum(amount) as earned,
        jsonb_agg(jsonb_build_object(
            'frequency', frequency, 'from', from_on, 'to', to_on, 'rate', rate::text,
            'quantity', trim_scale(case when frequency = 'weekly' then round(quantity / divisor, 4) else quantity end),
            'extra_days', trim_scale(extra_days),
            'divisor', case when frequency in ('weekly', 'daily') then null else trim_scale(divisor) end,
            'formula', rate::text || ' x '
                || case when frequency = 'weekly' then '(' || said || ') weeks'
                        when extra_days > 0 then '(' || trim_scale(quantity) || ' + ' || trim_scale(extra_days) || ')'
                        else trim_scale(quantity)::text end
                || case when frequency in ('weekly', 'daily') then '' else ' / ' || trim_scale(divisor) end,
            'amount', amount::text) order by from_on) as lines
    from lines
    group by user_id
)
insert into balances as b (tenant_id, month, user_id, as_of, currency, earned, totals, lines)
select :tenant_id, :month, e.user_id, e.as_of, e.currency, e.earned, register_totals(r), e.lines
from earned e
join pay_registers r on r.tenant_id = :tenant_id and r.month = :month and r.user_id = e.user_id and r.user_id {among}
on conflict (tenant_id, month, user_id) do update
    set (as_of, currency, earned, totals, lines)
        = (select excluded.as_of, excluded.currency, excluded.earned, excluded.totals, excluded.lines)
    -- a row that says the same already costs no write
    where (b.as_of, b.currency, b.earned, b.totals, b.lines)
        is distinct from (excluded.as_of, excluded.currency, excluded.earned, excluded.totals, excluded.lines)
