-- The person's time zone and employment, with their shift on the local days around a day, or around a moment's own.
-- One row: a day; no times where the person has no shift that day.
select
    p.zone, p.joined_on, p.left_on, d.day, s.starts_at, s.ends_at
from (
    select
        u.id as user_id, e.shift_id, e.joined_on, e.left_on,
        coalesce(b.timezone, :timezone) as zone
    from users u
    left join employments e on e.tenant_id = u.tenant_id and e.user_id = u.id
    left join branches b on b.tenant_id = u.tenant_id and b.id = e.branch_id
    where u.tenant_id = :tenant_id and u.id = :user_id
) p
cross join lateral (
    select coalesce(cast(:day as date), (cast(:at as timestamptz) at time zone p.zone)::date) + n as day
    from generate_series(-cast(:before as integer), cast(:after as integer)) n
) d
left join roster_days r on r.tenant_id = :tenant_id and r.user_id = p.user_id and r.day = d.day
left join shifts s on s.tenant_id = :tenant_id and s.id = coalesce(r.shift_id, p.shift_id)
order by d.day
