select l.tenant_id, l.subject_id as id, l.user_id, 'BDT' as currency, l.amount,
    case step when 2 then 0 else l.number - 3 * people.count end as after_number, l.number - people.count as through_number,
    case step when 2 then 'advance' else 'final' end as kind, 'simulated' as provider,
    bench.key('destination', l.n) as destination_id, md5(l.subject_id::text) as reference, 'paid' as status, 1 as fence,
    l.at as first_sent_at, 'sim-' || l.number as provider_reference, 'queue' as prepared_by, l.at as created_at,
    l.at as settled_at
from bench.lines l, (select count(*) from bench.people) people
where l.event = 'payout' order by l.number
