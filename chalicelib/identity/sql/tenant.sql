-- A tenant's settings, for a job or an operator.
select t.id, t.slug, t.name, t.currency, t.timezone, t.weekend, t.week_start, t.cycle_start_day, t.policy, t.status,
    t.requests_per_minute, t.suspended_because, t.cell
from tenants t where t.id = :tenant_id
