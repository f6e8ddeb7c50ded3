-- every third branch has another weekend, every fourth its own holidays
select tenant_id, bench.key('branch', 10 * no + b) as id, 'Branch ' || b as name,
    case b % 3 when 0 then '{7}'::smallint[] end as weekend, b % 4 = 0 as own_holidays
from bench.tenants, generate_series(1, 4) b
