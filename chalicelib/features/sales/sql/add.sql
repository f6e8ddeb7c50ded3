-- Adds sales that do not exist yet, in the order of the arrays, and puts each on the work list of those to decide.
-- Returns the ids of those added.
with added as (
    insert into sales
        (tenant_id, user_id, brand, external_id, earning, currency, occurred_at, created_by, created_by_ids, created_at)
    select :tenant_id, r.user_id, r.brand, r.external_id, r.earning, r.currency,
        coalesce(r.occurred_at, :now), :actor, cast(:actor_ids as uuid[]), :now
    from unnest(
        cast(:user_id as uuid[]), cast(:brand as text[]), cast(:external_id as text[]), cast(:earning as numeric[]),
        cast(:currency as text[]), cast(:occurred_at as timestamptz[])
    ) with ordinality r (user_id, brand, external_id, earning, currency, occurred_at, place)
    order by r.place
    on conflict (tenant_id, external_id) do nothing
    returning id, user_id
), listed as (
    insert into pending_sales (tenant_id, sale_id, user_id) select :tenant_id, id, user_id from added
)
select id from added order by id
