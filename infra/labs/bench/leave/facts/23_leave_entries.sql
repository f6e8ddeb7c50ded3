-- what the allocations come from
select tenant_id, bench.key('allocation', n) as allocation_id, bucket, days, bucket || '/1' as cause,
    date '2025-02-01' as concerns_on, timestamptz '2025-02-01' as booked_at, 'bench' as booked_by
from bench.people, lateral (values ('allocated', 20.0), ('used', bench.dice(n, 32) % 39 / 2.0)) moved (bucket, days)
where days > 0 order by n
