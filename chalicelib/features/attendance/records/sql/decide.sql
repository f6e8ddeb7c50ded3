-- From an attendance row's facts to what they are worth: halves present, late and early-out minutes (rules.md, 3).
-- The rows are those of the pairs (user_ids, days), or of everybody from first to last where first is given.
-- Only rows whose decision differs are written. Whoever runs this holds the period's row (features.tenants.periods),
-- so the facts do not change between reading and writing.
--
-- Which halves leave, duty, a holiday or a day off takes is known only to the projection, so a day is decided both ways:
-- `present` for a day whose halves are both open, `enough_for_half` for the one half that something else leaves open.
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
-- one row: the same record with the moments and thresholds of its shift; no moments where there is no shift that day
placed as (
    select w.*, shift.starts_at, shift.ends_at, shift.late_grace, shift.early_grace, shift.unpaid_break,
        coalesce(shift.full_day_minutes, cast(:full_day_minutes as smallint)) as full_day_minutes,
        -- a null means that a short day is no paid day
        coalesce(shift.half_day_minutes, cast(:half_day_minutes as smallint)) as half_day_minutes
    from wanted w
    left join employments e on e.tenant_id = :tenant_id and e.user_id = w.user_id
    left join branches b on b.tenant_id = :tenant_id and b.id = e.branch_id
    left join roster_days r on r.tenant_id = :tenant_id and r.user_id = w.user_id and r.day = w.day
    left join lateral (
        select
            local_moment(w.day + s.starts_at, coalesce(b.timezone, :timezone)) as starts_at,
            -- an end at or before the start is on the next day
            local_moment(w.day + (s.ends_at <= s.starts_at)::integer + s.ends_at, coalesce(b.timezone, :timezone))
                as ends_at,
            s.late_grace_minutes * interval '1 minute' as late_grace,
            s.early_grace_minutes * interval '1 minute' as early_grace,
            s.unpaid_break_minutes * interval '1 minute' as unpaid_break,
            s.full_day_minutes, s.half_day_minutes
        from shifts s
        where s.tenant_id = :tenant_id and s.id = coalesce(r.shift_id, e.shift_id)
    ) shift on true
),
-- one row: the same record with its net minutes, and what is asked for
measured as (
    select p.*, middle,
        -- The unpaid break is the middle of the shift. What of it lies between the first check-in and the last check-out
        -- is not worked, unless as long was left out of the minutes already: by punches around a break, or by a timesheet
        -- that states less than the time between. Minutes without both moments are taken as net.
        p.worked_minutes - case when p.unpaid_break > interval '0' then greatest(0,
            floor(extract(epoch from least(p.check_out_at, middle + p.unpaid_break / 2)
                                   - greatest(p.check_in_at, middle - p.unpaid_break / 2)) / 60)
            - (floor(extract(epoch from p.check_out_at - p.check_in_at) / 60) - p.worked_minutes)) else 0 end
            as net_minutes,
        -- no more than the shift is long in that very night, and never nothing
        least(p.full_day_minutes, longest) as full_needed,
        case when p.half_day_minutes is not null then least(p.half_day_minutes, longest) end as half_needed
    from placed p
    cross join lateral (select
        p.starts_at + (p.ends_at - p.starts_at) / 2 as middle,
        case when p.starts_at is not null then
            greatest(1, floor(extract(epoch from p.ends_at - p.starts_at - p.unpaid_break) / 60)) end as longest
    ) shift
),
-- one row: a record whose decision differs from what it says now
changed as (
    select m.user_id, m.day, decision.*
    from measured m
    cross join lateral (select
        case
            when m.stated = 'present' then 3
            when m.stated = 'absent' then 0
            when m.stated = 'half_day' then case when m.stated_half = 'second' then 1 else 2 end
            when m.net_minutes >= m.full_needed then 3
            when m.net_minutes >= m.half_needed then case when m.check_in_at > m.middle then 1 else 2 end
            else 0
        end as present,
        -- a stated status stands as it is (docs/decisions/0027)
        m.stated is null and coalesce(m.net_minutes >= least(m.half_needed, m.full_needed / 2.0), false)
            as enough_for_half,
        case
            when m.check_in_at > m.starts_at + m.late_grace
                then least(1440, floor(extract(epoch from m.check_in_at - m.starts_at) / 60))
            else 0
        end as late_minutes,
        case
            -- who has checked in again after a break has not left yet
            when m.session_started_at is not null then 0
            when m.check_out_at < m.ends_at - m.early_grace
                then least(1440, floor(extract(epoch from m.ends_at - m.check_out_at) / 60))
            else 0
        end as early_out_minutes
    ) decision
    where (decision.present, decision.enough_for_half, decision.late_minutes, decision.early_out_minutes)
        is distinct from (m.present, m.enough_for_half, m.late_minutes, m.early_out_minutes)
),
written as (
    update attendance a
    set present = c.present, enough_for_half = c.enough_for_half,
        late_minutes = c.late_minutes, early_out_minutes = c.early_out_minutes
    from changed c
    where a.tenant_id = :tenant_id and a.user_id = c.user_id and a.day = c.day
    returning (old.present, old.late_minutes, old.early_out_minutes)
        is distinct from (new.present, new.late_minutes, new.early_out_minutes) as differs
)
-- how many records say something else of a day whose halves are both open
select count(*) filter (where differs) from written
