-- One row per table of tenants' rows: row-level security is forced, by the one policy; the tenant leads its key.
with tables as (
    select c.oid, c.relname as name, c.relrowsecurity, c.relforcerowsecurity,
        case c.relname when 'tenants' then 'id' else 'tenant_id' end as key
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and (
        c.relname = 'tenants' or exists (
            select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
)
select case
        when not (t.relrowsecurity and t.relforcerowsecurity)
            then format('%s: row-level security is not forced', t.name)
        when not exists (
            select from pg_policy p
            where p.polrelid = t.oid and p.polname = 'tenant_isolation' and p.polpermissive and p.polcmd = '*'
              and p.polroles = '{0}'
              and pg_get_expr(p.polqual, p.polrelid) = format(:canonical, t.key)
              and pg_get_expr(p.polwithcheck, p.polrelid) = format(:canonical, t.key))
            then format('%s: it has not the canonical policy', t.name)
        when o.name is not null
            then format('%s: its policy %s opens it to more than the narrow roles', t.name, o.name)
        when first_of_key.name is distinct from t.key
            then format('%s: its primary key does not begin with %s', t.name, t.key)
    end as problem
from tables t
left join lateral (
    -- permissive policies add up, so any other one may only be for the cross-tenant roles
    select min(p.polname) as name from pg_policy p
    where p.polrelid = t.oid and p.polname <> 'tenant_isolation' and p.polpermissive
      and exists (
          select from unnest(p.polroles) r left join pg_roles k on k.oid = r
          where k.rolname is null or k.rolname <> all (:narrow))
) o on true
left join lateral (
    select a.attname as name from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = t.oid and i.indisprimary
) first_of_key on true
