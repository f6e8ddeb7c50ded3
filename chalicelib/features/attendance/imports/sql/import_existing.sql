-- Which of the days said have a record already, and whether it says the same. One row: such a day.
select
    said.user_id, said.day,
    (a.check_in_at, a.check_out_at, a.session_started_at, a.worked_minutes, a.stated, a.stated_half)
        is not distinct from
    (said.check_in_at, said.check_out_at, cast(null as timestamptz), said.worked_minutes, said.stated,
        said.stated_half) as is_same
from unnest(
    cast(:user_ids as uuid[]), cast(:days as date[]), cast(:check_ins as timestamptz[]),
    cast(:check_outs as timestamptz[]), cast(:minutes as smallint[]), cast(:stated as text[]),
    cast(:stated_halves as text[])
) said (user_id, day, check_in_at, check_out_at, worked_minutes, stated, stated_half)
join attendance a on a.tenant_id = :tenant_id and a.user_id = said.user_id and a.day = said.day
