-- 2 % of the days; every tenth of them only one half
select tenant_id, user_id, day::date as day, half, bench.key('leave type', 10 * no + type) as leave_type_id,
    case type when 3 then 'lop' else 'paid' end as nature, type = 2 as counts_non_working
from bench.people
cross join generate_series(date '2026-01-01', date '2026-01-31', interval '1 day') day
cross join lateral (select bench.dice(n * 32 + extract(day from day)::integer, 13) as luck) l
cross join lateral (select 1 + bench.dice(n, 14) % 3 as type) t
cross join unnest(array['first', 'second']) half
where luck < 20 and (half = 'first' or luck >= 2)
order by n, day, half
