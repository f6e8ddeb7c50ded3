select tenant_id, id as sale_id, 1::smallint as revision, 'approved' as status, 'HR' as decided_by,
    timestamptz '2026-01-01' as decided_at
from bench.sales where k = 0 order by id
