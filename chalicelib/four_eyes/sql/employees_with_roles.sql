-- The employees behind active members and keys of some roles.
select u.id from users u where u.tenant_id = :tenant_id and u.id in (
    select unnest(hands_of(m.tenant_id, array[m.id, m.user_id])) from members m
    where m.tenant_id = :tenant_id and m.status = 'active' and m.role = any(:roles)
    union
    select unnest(hands_of(k.tenant_id, array[k.id, k.user_id] || k.made_by_ids)) from api_keys k
    where k.tenant_id = :tenant_id and k.revoked_at is null and k.role = any(:roles))
order by u.id
