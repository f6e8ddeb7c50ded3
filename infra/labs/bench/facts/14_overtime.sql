-- a tenth works overtime, on three days
select tenant_id, bench.key('overtime', 4 * n + k) as id, user_id, date '2025-12-27' + 9 * k + bench.dice(n, 17) % 9 as day,
    (0.5 * (1 + bench.dice(n, 18) % 6))::numeric(4, 2) as hours,
    case bench.dice(n, 19) % 10 when 9 then 'rejected' else 'approved' end as status
from bench.people, generate_series(1, 3) k
where bench.dice(n, 20) < 100 order by n, k
