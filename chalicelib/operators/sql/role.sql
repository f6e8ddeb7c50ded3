-- One row per thing that a plain role must not be: the role that logs in here owns nothing and bypasses nothing.
with me as (
    -- one row: the role itself, and every role whose rights it has or can take
    select r.* from pg_roles r where pg_has_role(session_user, r.oid, 'member')
)
select case when rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
        then format('the role %s may do more than a plain role', rolname)
    end as problem
from me
union all
select case when owned.name is not null then format('the role %s owns %s', rolname, owned.name) end
from me
left join lateral (
    select min(name) as name from (
        select relname as name from pg_class where relowner = me.oid and relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        union all select proname from pg_proc where proowner = me.oid
        union all select nspname from pg_namespace where nspowner = me.oid
        union all select datname from pg_database where datdba = me.oid
    ) things
) owned on true
