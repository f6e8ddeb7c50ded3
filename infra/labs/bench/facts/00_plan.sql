-- Who there is: tenants of very uneven size and their employees, numbered from 1.
-- Everything after this is a function of these numbers, so the same size always gives the same data.
create schema if not exists bench;

-- a number from 0 to 999, by chance
create or replace function bench.dice(n bigint, salt integer) returns integer language sql immutable parallel safe as $$
    select ((hashint8extended(n, salt) & 1073741823) % 1000)::integer
$$;

-- a UUIDv7 that sorts by its number
create or replace function bench.key(kind text, n bigint) returns uuid language sql immutable parallel safe as $$
    select (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || left(md5(kind || n), 3)
        || '8' || right(md5(kind || n), 15))::uuid
$$;

drop table if exists bench.people, bench.tenants;

-- one row per tenant; the first has about a fifth of all employees, the last a few
create unlogged table bench.tenants as
with weights as (
    select no, power(no, -1.1) as weight from generate_series(1, :tenants) no
),
sizes as (
    select no, greatest(1, round(weight / sum(weight) over () * :employees)::bigint) as size from weights
),
settled as (
    select no, case no when 1 then size + :employees - sum(size) over () else size end as size from sizes
)
select no, bench.key('tenant', no) as tenant_id, size::bigint,
    (sum(size) over (order by no) - size + 1)::bigint as first_n,
    -- Friday and Saturday off for half of them
    case no % 4 when 0 then '{6,7}' when 1 then '{5}' else '{5,6}' end::smallint[] as weekend
from settled;

-- one row per employee
create unlogged table bench.people as
select t.no, t.tenant_id, n, bench.key('user', n) as user_id, t.weekend,
    case when bench.dice(n, 1) < 700 then 'monthly' when bench.dice(n, 1) < 900 then 'daily' else 'weekly' end
        as frequency,
    case when bench.dice(n, 2) < 30 then date '2026-01-01' + bench.dice(n, 3) % 28 else date '2024-03-01' end
        as joined_on,
    case when bench.dice(n, 2) between 30 and 49 then date '2026-01-03' + bench.dice(n, 3) % 28 end as left_on,
    bench.dice(n, 4) < 100 as is_rostered
from bench.tenants t, generate_series(t.first_n, t.first_n + t.size - 1) n;
alter table bench.people add primary key (tenant_id, user_id);
analyze bench.people;
