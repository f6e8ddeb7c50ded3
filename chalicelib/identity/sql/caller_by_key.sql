-- The tenant, actor and key of a live API key.
select t.id, t.slug, t.name, t.currency, t.timezone, t.weekend, t.week_start, t.cycle_start_day, t.policy, t.status,
    t.requests_per_minute, t.suspended_because, t.cell,
    k.name as actor_name, k.role, k.user_id, k.id as key_id, k.last_used_at, k.expires_at,
    has_left(k.tenant_id, k.made_by_ids || k.user_id, (:now at time zone t.timezone)::date) as has_left,
    coalesce(k.user_id, k.made_by_ids[1], k.id) as actor_id,
    hands_of(k.tenant_id, array[k.id, k.user_id] || k.made_by_ids) as all_ids
from api_keys k join tenants t on t.id = k.tenant_id
where k.tenant_id = :tenant_id and k.key_hash = :digest and k.revoked_at is null
