-- 2 % have a day edited by hand: to present, to leave of a type, or only with an extra day and a remark
select tenant_id, bench.key('edit', n) as id, user_id, date '2026-01-01' + bench.dice(n, 21) % 31 as day,
    code as first_code, case code when 'L' then bench.key('leave type', 10 * no + 1) end as first_leave_type_id,
    code as second_code, case code when 'L' then bench.key('leave type', 10 * no + 1) end as second_leave_type_id,
    case when code is null then 1 end::numeric(4, 2) as extra_days,
    'Seen by HR' as remarks, 'HR' as edited_by, timestamptz '2026-01-31 12:00+00' as edited_at
from (select *, (array['P', 'L', null])[1 + bench.dice(n, 22) % 3] as code from bench.people) p
where bench.dice(n, 23) < 20 order by n
