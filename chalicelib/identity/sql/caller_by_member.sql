-- The tenant and actor of a member.
select t.id, t.slug, t.name, t.currency, t.timezone, t.weekend, t.week_start, t.cycle_start_day, t.policy, t.status,
    t.requests_per_minute, t.suspended_because, t.cell,
    m.email as actor_name, m.role, m.user_id,
    has_left(m.tenant_id, array[m.user_id], (:now at time zone t.timezone)::date) as has_left,
    coalesce(m.user_id, m.id) as actor_id, hands_of(m.tenant_id, array[m.id, m.user_id]) as all_ids
from members m join tenants t on t.id = m.tenant_id
where m.tenant_id = :tenant_id and m.id = :member_id
