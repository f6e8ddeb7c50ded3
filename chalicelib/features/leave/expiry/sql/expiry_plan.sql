-- Says what becomes of the days of some people whose last day of use is over (rules.md, section 8). It only reads: what
-- follows it selects from `plan`, or does it. `lock` may stand where the allocations are read.
with due as materialized (
    -- one row per allocation that expired and was not dealt with, or that days came back to since then: each at most
    -- once a night
    select a.id as allocation_id, a.user_id, a.leave_type_id, a.cycle_start_on, a.cycle_end_on, a.expires_on,
        a.remaining_days, a.transferred_days, t.name as leave_type, t.carryover_limit, r.id as expiry_rule_id, r.action
    from leave_allocations a
    join leave_types t on t.tenant_id = :tenant_id and t.id = a.leave_type_id
    join leave_expiry_rules r on r.tenant_id = :tenant_id and r.id = t.expiry_rule_id and r.is_active
    where a.tenant_id = :tenant_id and a.user_id {employees} and a.expires_on < :as_of
      and (a.expired_at is null
           or (a.remaining_days > 0 and not exists (
               select from leave_entries e
               where e.tenant_id = :tenant_id and e.allocation_id = a.id and e.cause = concat('expiry/', cast(:as_of as date)))))
    order by a.id
    {lock}
),
calendar as materialized (
    -- one row per cycle, last day and rule: the next cycle, and the pay period and pay week that hold the last day
    select * from jsonb_to_recordset(cast(:calendar as jsonb)) as c (
        expiry_rule_id uuid, cycle_start_on date, cycle_end_on date, expires_on date,
        next_start_on date, next_end_on date, next_expires_on date,
        period_start_on date, period_end_on date, week_start_on date, week_end_on date)
),
plan as materialized (
    -- one row per allocation: where its days go. With a problem they go nowhere, until somebody has solved it.
    select d.*, c.next_start_on, c.next_end_on, c.next_expires_on, p.rate, p.currency, p.frequency, p.first_on, p.last_on,
        p.working_days, p.amount, said.problem, following.id is null and carried.days > 0 as makes_target,
        case when carried.days > 0 then coalesce(following.id, uuidv7()) end as target_id,
        case when said.problem is not null then 0
            when d.action = 'delete' then d.remaining_days
            when d.action = 'transfer_to_next_cycle' then d.remaining_days - carried.days else 0 end as lapsed,
        case when d.action = 'convert_to_cash' and said.problem is null then d.remaining_days else 0 end as encashed,
        carried.days as transferred
    from due d
    join calendar c using (expiry_rule_id, cycle_start_on, cycle_end_on, expires_on)
    left join lateral (
        -- what days that are to be paid out are worth, where the person had a salary on the last day. The divisor counts
        -- everybody's working days, in employment or not, as the register's does. `offset 0`: once for each allocation.
        select s.amount as rate, s.currency, s.frequency, span.first_on, span.last_on, work.halves / 2.0 as working_days,
            round(case s.frequency when 'daily' then d.remaining_days * s.amount
                else d.remaining_days * s.amount * 2 / nullif(work.halves, 0) end, m.minor_units) as amount
        from (
            select s.amount, s.currency, s.frequency
            from salaries s
            where s.tenant_id = :tenant_id and s.user_id = d.user_id and s.effective_from <= d.expires_on
            order by s.effective_from desc
            limit 1
        ) s
        join currencies m on m.code = s.currency
        cross join lateral (
            select case s.frequency when 'monthly' then c.period_start_on when 'weekly' then c.week_start_on end as first_on,
                case s.frequency when 'monthly' then c.period_end_on when 'weekly' then c.week_end_on end as last_on
        ) span
        cross join lateral (
            select case when span.first_on is not null then (
                select sum(bit_count(h.halves::integer::bit(2)))
                from calendar_halves(:tenant_id, d.user_id, span.first_on, span.last_on) h
            ) end as halves
            offset 0
        ) work
        where d.action = 'convert_to_cash' and d.remaining_days > 0
        offset 0
    ) p on true
    cross join lateral (
        select case when d.action = 'convert_to_cash' and d.remaining_days > 0 then
            case when p.rate is null then 'no salary was in force on ' || d.expires_on
                when p.working_days = 0 then
                    concat('their calendar has no working day from ', p.first_on, ' to ', p.last_on)
                when p.amount = 0 then concat('their salary on ', d.expires_on, ' makes an amount of 0') end
        end as problem
    ) said
    cross join lateral (
        -- the limit is of the whole allocation, on however many nights its days go over
        select case when d.action = 'transfer_to_next_cycle' then
            greatest(least(d.remaining_days, d.carryover_limit - d.transferred_days), 0) else 0 end as days
    ) carried
    left join lateral (
        -- the next cycle, if it is there: the first one that begins within what it would be. None can reach into it from
        -- before, as cycles do not overlap.
        select n.id
        from leave_allocations n
        where n.tenant_id = :tenant_id and n.user_id = d.user_id and n.leave_type_id = d.leave_type_id
          and n.cycle_start_on between c.next_start_on and c.next_end_on
        order by n.cycle_start_on
        limit 1
    ) following on carried.days > 0
)
