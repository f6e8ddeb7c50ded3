-- What the plan before it comes to: one row per action, with a list of the allocations that money is due for or that
-- nothing can be done about.
select action, count(*) filter (where problem is null) as allocations, sum(lapsed) as lapsed, sum(encashed) as encashed,
    sum(transferred) as transferred, count(problem) as problems,
    coalesce(jsonb_agg(jsonb_build_object(
        'allocation_id', allocation_id, 'user_id', user_id, 'leave_type', leave_type, 'expires_on', expires_on,
        'days', remaining_days::text, 'amount', amount::text, 'currency', currency, 'rate', rate::text,
        'frequency', frequency, 'from', first_on, 'to', last_on, 'working_days', trim_scale(working_days)::text,
        'problem', problem) order by allocation_id) filter (where encashed > 0 or problem is not null), '[]') as notable
from plan
where remaining_days > 0
group by action
order by action
