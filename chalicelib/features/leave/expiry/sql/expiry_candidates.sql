-- The employees whom a night may concern: days of theirs expire within the widest warning, or have expired with some left.
select user_id
from leave_allocations
where tenant_id = :tenant_id and expires_on <= cast(:as_of as date) + :widest
  and (expired_at is null or remaining_days > 0)
group by user_id
