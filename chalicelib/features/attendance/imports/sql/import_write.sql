-- Writes what a file says, whole records at a time, and gives what the corrected ones said before.
with
-- one row: a record that was written; version_before is null where there was none
written as (
    insert into attendance as a (
        tenant_id, user_id, day, check_in_at, check_out_at, worked_minutes, stated, stated_half, source
    )
    select :tenant_id, said.*, 'import'
    from unnest(
        cast(:user_ids as uuid[]), cast(:days as date[]), cast(:check_ins as timestamptz[]),
        cast(:check_outs as timestamptz[]), cast(:minutes as smallint[]), cast(:stated as text[]),
        cast(:stated_halves as text[])
    ) said (user_id, day, check_in_at, check_out_at, worked_minutes, stated, stated_half)
    order by said.user_id, said.day  -- two files with the same rows lock them in the same order
    on conflict (tenant_id, user_id, day) do update
        set check_in_at = excluded.check_in_at, check_out_at = excluded.check_out_at, session_started_at = null,
            sessions = null,
            worked_minutes = excluded.worked_minutes, stated = excluded.stated, stated_half = excluded.stated_half,
            source = 'import', version = a.version + 1
    returning
        new.user_id, new.day, old.version as version_before, old.check_in_at, old.check_out_at,
        old.session_started_at, old.worked_minutes, old.stated, old.stated_half
)
select * from written where version_before is not null
