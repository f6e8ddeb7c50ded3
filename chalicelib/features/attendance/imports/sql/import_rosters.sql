-- The shifts that the roster gives these people instead of their usual one, on days of the file and around them.
-- One row: a person's day.
select r.user_id, r.day, s.starts_at, s.ends_at
from unnest(cast(:user_ids as uuid[]), cast(:firsts as date[]), cast(:lasts as date[])) asked (user_id, first_on, last_on)
join roster_days r on r.tenant_id = :tenant_id and r.user_id = asked.user_id
    and r.day between asked.first_on and asked.last_on
join shifts s on s.tenant_id = :tenant_id and s.id = r.shift_id
