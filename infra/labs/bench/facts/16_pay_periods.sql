select tenant_id, '2026-01' as month, date '2026-01-01' as start_on, date '2026-01-31' as end_on from bench.tenants
