-- From an attendance row's facts to what they are worth: halves present, late and early-out minutes (rules.md, 3).
-- The rows are those of the pairs (user_ids, days), or of everybody from first to last where first is given.
-- Only rows whose decision differs are written. Whoever runs this holds the period's row (features.tenants.periods),
-- so the facts do not change between reading and writing.
with
-- one row: an attendance record to decide; the leg that is not asked for costs nothing
wanted as (
    select a.*
    from attendance a
    where a.tenant_id = :tenant_id and a.day between cast(:first as date) and cast(:last as date)
    union all
    select a.*
    from unnest(cast(:user_ids as uuid[]), cast(:days as date[])) pair (user_id, day)
    join attendance a on a.tenant_id = :tenant_id and a.user_id = pair.user_id and a.day = pair.day
),
-- one row: the same record with the moments of its shift; all null where the person has no shift that day
placed as (
    select w.*, shift.starts_at, shift.ends_at, shift.late_grace, shift.early_grace
    from wanted w
    left join employments e on e.tenant_id = :tenant_id and e.user_id = w.user_id
    left join branches b on b.tenant_id = :tenant_id and b.id = e.branch_id
    left join roster_days r on r.tenant_id = :tenant_id and r.user_id = w.user_id and r.day = w.day
    left join lateral (
        select
            (w.day + s.starts_at) at time zone coalesce(b.timezone, :timezone) as starts_at,
            -- an end at or before the start is on the next day
            (w.day + s.ends_at + case when s.ends_at <= s.starts_at then interval '1 day' else interval '0' end)
                at time zone coalesce(b.timezone, :timezone) as ends_at,
            s.late_grace_minutes * interval '1 minute' as late_grace,
            s.early_grace_minutes * interval '1 minute' as early_grace
        from shifts s
        where s.tenant_id = :tenant_id and s.id = coalesce(r.shift_id, e.shift_id)
    ) shift on true
),
-- one row: a record whose decision differs from what it says now
changed as (
    select p.user_id, p.day, decision.*
    from placed p
    cross join lateral (select
        case
            when p.stated = 'present' then 3
            when p.stated = 'absent' then 0
            when p.stated = 'half_day' then case when p.stated_half = 'second' then 1 else 2 end
            when p.worked_minutes >= cast(:full_day_minutes as integer) then 3
            -- a null half_day_minutes means that a short day is no paid day
            when p.worked_minutes >= cast(:half_day_minutes as integer) then
                case when p.check_in_at > p.starts_at + (p.ends_at - p.starts_at) / 2 then 1 else 2 end
            else 0
        end as present,
        case
            when p.check_in_at > p.starts_at + p.late_grace
                then least(1440, floor(extract(epoch from p.check_in_at - p.starts_at) / 60))
            else 0
        end as late_minutes,
        case
            -- who has checked in again after a break has not left yet
            when p.session_started_at is not null then 0
            when p.check_out_at < p.ends_at - p.early_grace
                then least(1440, floor(extract(epoch from p.ends_at - p.check_out_at) / 60))
            else 0
        end as early_out_minutes
    ) decision
    where (decision.present, decision.late_minutes, decision.early_out_minutes)
        is distinct from (p.present, p.late_minutes, p.early_out_minutes)
)
update attendance a
set present = c.present, late_minutes = c.late_minutes, early_out_minutes = c.early_out_minutes
from changed c
where a.tenant_id = :tenant_id and a.user_id = c.user_id and a.day = c.day
