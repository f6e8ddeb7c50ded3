-- Notes late corrections of locked pay periods; one that is noted already is noted anew, as of now.
insert into late_corrections (tenant_id, month, user_id, day, what, noted_at)
select distinct cast(:tenant_id as uuid), c.month, c.user_id, c.day, :what, clock_timestamp()
from unnest(cast(:months as text[]), cast(:user_ids as uuid[]), cast(:days as date[])) c(month, user_id, day)
on conflict (tenant_id, month, user_id, day, what) do update set noted_at = excluded.noted_at
