-- Writes check-in and check-out of everybody in the demo, for the working days of some spans of days.
-- What a day looks like is drawn from a number and the date, so that loading again draws the same and adds nothing.
with
-- one row: a day of a span
days as (
    select distinct day::date as day
    from unnest(cast(:firsts as date[]), cast(:lasts as date[])) span (first_on, last_on),
        generate_series(first_on, last_on, interval '1 day') day
),
-- one row: a person's working day, by their calendar, leave and on-duty; luck is 0 to 999
workdays as (
    select e.user_id, e.employee_no, d.day, coalesce(b.timezone, t.timezone) as timezone, s.starts_at, s.ends_at,
        ('x' || substr(md5(e.employee_no || d.day), 1, 7))::bit(28)::integer % 1000 as luck
    from tenants t
    join employments e on e.tenant_id = t.id and e.user_id = any (:user_ids)
    join shifts s on s.tenant_id = t.id and s.id = e.shift_id
    left join branches b on b.tenant_id = t.id and b.id = e.branch_id
    join days d on d.day between e.joined_on and coalesce(e.left_on, d.day)
    where t.id = :tenant_id
      and extract(isodow from d.day)::smallint <> all (coalesce(b.weekend, t.weekend))
      and not exists (
          select from holidays h where h.tenant_id = t.id and h.day = d.day and h.half is null
            and (h.branch_id is null or h.branch_id = e.branch_id))
      and not exists (
          select from leave_days l where l.tenant_id = t.id and l.user_id = e.user_id and l.day = d.day)
      and not exists (
          select from on_duty o where o.tenant_id = t.id and o.user_id = e.user_id and o.status = 'approved'
            and d.day between o.start_on and o.end_on)
),
-- one row: the same with what the day looks like; the story (of a day, or of a person's January) comes before luck
drawn as (
    select w.*, coalesce(story.kind, case
        when w.user_id = any (:steady_ids) and w.day between :steady_from and :steady_to then 'usual'
        when w.luck < 25 then 'absent'
        when w.luck < 85 then 'late'
        when w.luck < 105 then 'first'
        when w.luck < 120 then 'second'
        when w.luck < 145 then 'early'
        else 'usual' end) as kind
    from workdays w
    left join jsonb_to_recordset(cast(:story as jsonb)) story (user_id uuid, day date, kind text)
        on story.user_id = w.user_id and story.day = w.day
),
-- one row: minutes from the shift's start to the check-in and to the check-out; an ordinary shift has 540
placed as (
    select *,
        case kind when 'late' then 12 + luck % 45 when 'second' then 280 when 'early' then -45 else -(luck % 12) end
            as comes,
        case kind when 'late' then 560 + luck % 45 when 'first' then 260 when 'early' then 505 else 540 + luck % 25 end
            as goes
    from drawn where kind <> 'absent'
),
punched as (
    select user_id, day,
        (day + starts_at + comes * interval '1 minute') at time zone timezone as check_in_at,
        (day + starts_at + goes * interval '1 minute') at time zone timezone as check_out_at
    from placed
)
insert into attendance (tenant_id, user_id, day, check_in_at, check_out_at, worked_minutes, source)
select :tenant_id, user_id, day, check_in_at, check_out_at,
    extract(epoch from check_out_at - check_in_at)::integer / 60, 'punch'
from punched
where check_out_at < :now
on conflict do nothing
returning day
