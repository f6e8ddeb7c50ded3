-- 8 % go on duty for up to three days; every tenth of them for the second half of one day
select tenant_id, bench.key('on duty', n) as id, user_id,
    date '2026-01-01' + bench.dice(n, 15) % 28 as start_on,
    date '2026-01-01' + bench.dice(n, 15) % 28 + case when luck < 8 then 0 else luck % 3 end as end_on,
    case when luck < 8 then 'second' end as half,
    case luck % 10 when 9 then 'pending' else 'approved' end as status
from (select *, bench.dice(n, 16) as luck from bench.people) p
where luck < 80 order by n
