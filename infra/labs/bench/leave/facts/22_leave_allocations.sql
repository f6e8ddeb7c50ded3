-- an allocation for everybody, of a year that ends with January: half of them lapse, a quarter each is paid or goes over
select tenant_id, bench.key('allocation', n) as id, user_id,
    bench.key('leave type', 10 * no + (array[1, 1, 2, 3])[1 + bench.dice(n, 31) % 4]) as leave_type_id,
    date '2025-02-01' as cycle_start_on, date '2026-01-31' as cycle_end_on, date '2026-01-31' as expires_on,
    20.0 as allocated_days, bench.dice(n, 32) % 39 / 2.0 as used_days
from bench.people order by n
