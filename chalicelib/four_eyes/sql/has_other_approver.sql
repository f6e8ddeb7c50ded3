-- Whether another person than the caller may approve, under any member or key; for a job, which is no person, whether
-- there are two such persons.
with approvers as (
    select hands_of(m.tenant_id, array[m.id, m.user_id]) as ids from members m
    where m.tenant_id = :tenant_id and m.status = 'active' and m.role = any(:roles)
    union all
    select hands_of(k.tenant_id, array[k.id, k.user_id] || k.made_by_ids) from api_keys k
    where k.tenant_id = :tenant_id and k.revoked_at is null and k.role = any(:roles)
), one as (
    select case when cardinality(cast(:all_ids as uuid[])) > 0 then cast(:all_ids as uuid[])
        else (select ids from approvers limit 1) end as ids
)
select exists (select from approvers a, one where not a.ids && one.ids)
