select tenant_id, bench.key('shift', 10 * no + s) as id, 'Shift ' || s as name,
    time '07:00' + s * interval '2 hours' as starts_at, time '16:00' + s * interval '2 hours' as ends_at,
    case s when 3 then 1.5 else 1 end::numeric(4, 2) as payable_units, 10::smallint as late_grace_minutes
from bench.tenants, generate_series(1, 3) s
