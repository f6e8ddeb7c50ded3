-- The shifts that end on the next day, among those of the people and days given: only there a clock time needs to be
-- placed. One row: a person's night shift of one day.
select pair.user_id, pair.day, s.starts_at, s.ends_at
from unnest(cast(:user_ids as uuid[]), cast(:days as date[])) pair (user_id, day)
join employments e on e.tenant_id = :tenant_id and e.user_id = pair.user_id
left join roster_days r on r.tenant_id = :tenant_id and r.user_id = pair.user_id and r.day = pair.day
join shifts s on s.tenant_id = :tenant_id and s.id = coalesce(r.shift_id, e.shift_id)
where s.ends_at <= s.starts_at
