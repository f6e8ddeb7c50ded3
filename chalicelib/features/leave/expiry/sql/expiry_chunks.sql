-- The people whom a night may concern, in chunks by id: first and last of each, and how many. A night that concerns
-- nobody has none.
select chunk, min(user_id::text)::uuid, max(user_id::text)::uuid, count(*)
from (
    select user_id, (row_number() over (order by user_id) - 1) / :size as chunk
    from leave_allocations
    where tenant_id = :tenant_id and expires_on <= cast(:as_of as date) + :widest
      and (expired_at is null or remaining_days > 0)
    group by user_id
) numbered
group by chunk
order by chunk
