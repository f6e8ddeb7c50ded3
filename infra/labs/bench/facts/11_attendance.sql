-- one row per employee and day, also on days off, where it mostly says absent; weekly paid employees have days from
-- the pay week that January cuts. Of the working days 1 % have no row, 4 % say absent, 2 % half a day; 8 % are late.
select tenant_id, user_id, day, present,
    case when present >= 2 and luck % 100 < 8 then 1 + luck % 45 else 0 end::smallint as late_minutes,
    case when present in (1, 3) and luck % 100 >= 97 then 1 + luck % 60 else 0 end::smallint as early_out_minutes,
    case when present > 0 then (day + time '03:00' + luck * interval '1 second') at time zone 'UTC' end
        as check_in_at,
    case when present > 0 then (day + time '12:30' + luck * interval '1 second') at time zone 'UTC' end
        as check_out_at,
    case present when 0 then null when 3 then 570 else 280 end::smallint as worked_minutes,
    present > 0 as enough_for_half,
    'punch' as source
from (
    select p.tenant_id, p.user_id, date '2025-12-27' + k as day, ((chance >> 10) % 1000)::integer as luck,
        case
            when (k + 5) % 7 + 1 = any (weekend) then case when chance % 1000 < 20 then 3 else 0 end
            when chance % 1000 < 40 then 0
            when chance % 1000 < 50 then 1
            when chance % 1000 < 60 then 2
            else 3
        end::smallint as present,
        chance % 1000 >= 990 as is_missing
    from (
        select *, greatest(joined_on - date '2025-12-27', case frequency when 'weekly' then 0 else 5 end) as first,
            least(left_on - date '2025-12-27', 35) as last
        from bench.people order by n
    ) p
    cross join generate_series(first, last) k
    cross join lateral (select hashint8extended(n, k) & 1073741823 as chance) c
) day
where not is_missing
