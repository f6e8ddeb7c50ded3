-- Edits days by hand, cell by cell: each half, the overtime hours, the extra days and the remarks (rules.md, section 3).
-- The row in force of a day has all of its edited cells; each edit puts a new one in its place, and the old one stays as
-- history. A day that was edited once keeps a row in force, with no cell set where all were given back to the facts, so
-- that its version goes on. The caller has locked the employees, so nothing changes between reading and writing.
with requested as (
    -- one row per day to edit: which cells are named, and their values (null: back to the facts)
    select cast(:user_id as uuid) as user_id, cast(:day as date) as day,
        cast(:names_first as boolean) as names_first, cast(:first_code as text) as first_code,
        cast(:first_leave_type_id as uuid) as first_leave_type_id,
        cast(:names_second as boolean) as names_second, cast(:second_code as text) as second_code,
        cast(:second_leave_type_id as uuid) as second_leave_type_id,
        cast(:names_ot_hours as boolean) as names_ot_hours, cast(:ot_hours as numeric) as ot_hours,
        cast(:names_extra_days as boolean) as names_extra_days, cast(:extra_days as numeric) as extra_days,
        cast(:names_remarks as boolean) as names_remarks, cast(:remarks as text) as remarks
),
merged as (
    -- one row per day: its cells after the edit, beside its version and whether it differs from what is in force
    select m.*, (m.first_code, m.first_leave_type_id, m.second_code, m.second_leave_type_id, m.ot_hours, m.extra_days,
            m.remarks)
        is distinct from (e.first_code, e.first_leave_type_id, e.second_code, e.second_leave_type_id, e.ot_hours,
            e.extra_days, e.remarks) as is_changed
    from requested r
    left join day_edits e on e.tenant_id = :tenant_id and e.user_id = r.user_id and e.day = r.day
        and e.superseded_at is null
    cross join lateral (
        select r.user_id, r.day, e.id as replaces, coalesce(e.version, 0) as version,
            case when r.names_first then r.first_code else e.first_code end as first_code,
            case when r.names_first then r.first_leave_type_id else e.first_leave_type_id end as first_leave_type_id,
            case when r.names_second then r.second_code else e.second_code end as second_code,
            case when r.names_second then r.second_leave_type_id else e.second_leave_type_id end
                as second_leave_type_id,
            case when r.names_ot_hours then r.ot_hours else e.ot_hours end as ot_hours,
            case when r.names_extra_days then r.extra_days else e.extra_days end as extra_days,
            case when r.names_remarks then r.remarks else e.remarks end as remarks
    ) m
),
ended as (
    update day_edits d set superseded_by = :actor, superseded_at = :now
    from merged m
    where d.tenant_id = :tenant_id and d.id = m.replaces and m.is_changed
    returning d.id
),
written as (
    -- after `ended`, as a day has one row in force
    insert into day_edits (tenant_id, user_id, day, first_code, first_leave_type_id, second_code, second_leave_type_id,
        ot_hours, extra_days, remarks, version, edited_by, edited_at)
    select :tenant_id, m.user_id, m.day, m.first_code, m.first_leave_type_id, m.second_code, m.second_leave_type_id,
        m.ot_hours, m.extra_days, m.remarks, m.version + 1, :actor, :now
    from merged m
    left join ended e on e.id = m.replaces
    where m.is_changed and (m.replaces is null or e.id is not null)
    returning user_id, day
)
-- one row per day: its version before the edit, and whether anything changed
select m.user_id, m.day, m.version, w.day is not null as is_changed
from merged m
left join written w on w.user_id = m.user_id and w.day = m.day
