-- What was sold, numbered from 1, by chance over a month: neighbours in the table are neighbours in time, of people
-- from all over. Each person sold once in December, which is decided and paid, and ten times in January, which nobody
-- has looked at.
create unlogged table bench.sales as
select p.tenant_id, p.no, p.n, p.user_id, k, number, to_timestamp(ms / 1000.0) as at,
    (lpad(to_hex(ms), 12, '0') || '7' || left(md5('sale' || number), 3)
        || '8' || right(md5('sale' || number), 15))::uuid as id,
    (1000 + chance % 49001)::numeric / 100 as earning, chance % 20 as brand
from bench.people p
cross join generate_series(0, 10) k
cross join lateral (
    select 11 * (p.n - 1) + k + 1 as number, hashint8extended(p.n, 40 + k) & 1073741823 as chance,
        case k when 0 then 1764547200000 else 1767225600000 end + (hashint8extended(p.n, 60 + k) & 2147483647) as ms
) chosen;

-- December's five lines of each person, in the order in which runs book: a run's lines lie together
create unlogged table bench.lines as
select (step - 1) * (select count(*) from bench.people) + s.n as number, s.tenant_id, s.no, s.user_id, s.n, step, event,
    line, debit, credit, case what when 'advance' then advance when 'rest' then earning - advance end as amount,
    case event when 'payout' then bench.key('payout', 10 * s.n + step) else s.id end as subject_id,
    timestamptz '2026-01-01' + step * interval '1 minute' as at
from (select *, trunc(earning / 10, 2) as advance from bench.sales where k = 0) s
cross join (values
    (1, 'advance', 1, 'advances', 'payable', 'advance'),
    (2, 'payout', 1, 'payable', 'cash', 'advance'),
    (3, 'approve', 1, 'sales_cost', 'advances', 'advance'),
    (4, 'approve', 2, 'sales_cost', 'payable', 'rest'),
    (5, 'payout', 1, 'payable', 'cash', 'rest')
) l (step, event, line, debit, credit, what);
