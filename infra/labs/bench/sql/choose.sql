-- People from all over: their weekly days off, their holidays as date -> half (null: both), and the code of a past day
-- without any record.
select p.tenant_id, p.user_id, coalesce(b.weekend, p.weekend),
    (select coalesce(jsonb_object_agg(day, half), '{}') from (
        select distinct on (h.day) h.day, h.half from holidays h
        where h.tenant_id = p.tenant_id and h.day between '2026-01-01' and '2026-01-31'
          and (h.branch_id = b.id or (h.branch_id is null and not coalesce(b.own_holidays, false)))
        order by h.day, h.branch_id nulls last) d),
    case t.policy ->> 'missing_attendance' when 'present' then 'P' else 'A' end
from bench.people p
join tenants t on t.id = p.tenant_id
join employments e on e.tenant_id = p.tenant_id and e.user_id = p.user_id
left join branches b on b.tenant_id = p.tenant_id and b.id = e.branch_id
order by md5(p.user_id::text) limit %s
