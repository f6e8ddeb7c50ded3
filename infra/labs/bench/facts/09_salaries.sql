-- 3 % get a raise on 16 January
select tenant_id, user_id, effective_from,
    (case frequency when 'monthly' then 15000 when 'weekly' then 3500 else 500 end
        + 10 * bench.dice(n, 9) + case effective_from when '2026-01-16' then 500 else 0 end)::numeric as amount,
    'BDT' as currency, frequency
from bench.people, unnest(array['2024-01-01', '2026-01-16']::date[]) effective_from
where effective_from = '2024-01-01' or bench.dice(n, 10) < 30
order by n, effective_from
