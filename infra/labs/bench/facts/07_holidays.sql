-- a full day and a half day for everybody, and one day that only the branches with their own holidays have
select tenant_id, bench.key('holiday', 10 * no + h) as id, (array['2026-01-01', '2026-01-14', '2026-01-20'])[h]::date as day,
    'Holiday ' || h as name, case h when 2 then 'second' end as half,
    case h when 3 then bench.key('branch', 10 * no + 4) end as branch_id
from bench.tenants, generate_series(1, 3) h
