with
-- one row: a day of this person given back to the ordinary calendar
cleared as (
    delete from roster_days
    where tenant_id = :tenant_id and user_id = :user_id and day = any(cast(:cleared as date[]))
)
-- one row: a day as it is planned from now on
insert into roster_days (tenant_id, user_id, day, shift_id, off, works_holidays)
select :tenant_id, :user_id, planned.day, planned.shift_id, planned.off, planned.works_holidays
from unnest(cast(:days as date[]), cast(:shift_ids as uuid[]), cast(:offs as smallint[]), cast(:works as boolean[]))
    planned(day, shift_id, off, works_holidays)
on conflict (tenant_id, user_id, day) do update
    set shift_id = excluded.shift_id, off = excluded.off, works_holidays = excluded.works_holidays
