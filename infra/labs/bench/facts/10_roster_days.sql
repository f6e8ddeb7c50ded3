-- rostered people have a day off in seven, wherever it falls
select tenant_id, user_id, date '2025-12-27' + k as day, bench.key('shift', 10 * no + 1 + bench.dice(n, 11) % 3) as shift_id,
    case when (n + k) % 7 = 0 then 3 else 0 end::smallint as off, bench.dice(n, 12) < 100 as works_holidays
from (select * from bench.people where is_rostered order by n) p, generate_series(0, 41) k
