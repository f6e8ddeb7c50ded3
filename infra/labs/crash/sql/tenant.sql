-- A tenant with its employees and its admins' API keys.
with new_tenant as (
    insert into tenants (id, slug, name, currency, timezone, weekend, policy)
    values (%(id)s, %(slug)s, %(name)s, %(currency)s, 'Asia/Dhaka', '{5,6}', %(policy)s)
),
employees as (
    insert into users (tenant_id, id, name)
    select %(id)s, id, 'Person' from unnest(%(people)s::uuid[]) id
)
insert into api_keys (tenant_id, name, role, hint, key_hash)
select %(id)s, name, 'tenant_admin', '', hash
from unnest(%(names)s::text[], %(hashes)s::bytea[]) k (name, hash)
