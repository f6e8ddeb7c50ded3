-- One row per payout by a provider that lists its movements, and one per movement that belongs to none: what is paid
-- moved once, the same amount, and what failed did not move. Refusals move nothing.
with
moved as (
    -- one row: what the provider did under one of our references
    select reference, count(*) as times, sum(amount) as amount, min(currency) as currency,
        min(user_id::text) as user_id, count(*) filter (where status = 'returned') as came_back
    from simulated_movements
    where tenant_id = :tenant_id and status <> 'refused'
    group by reference
)
select case
        when p.id is null
            then format('the provider paid %s %s to %s under %s, which is no payout',
                m.amount, m.currency, m.user_id, m.reference)
        when m.times > 1
            then format('payout %s of %s %s to %s: the provider paid it %s times, %s %s altogether',
                p.id, p.amount, p.currency, p.user_id, m.times, m.amount, m.currency)
        when p.status in ('paid', 'returned') and m.times is null and not n.is_resolved
            then format('payout %s of %s %s to %s: it is %s, and the provider moved nothing',
                p.id, p.amount, p.currency, p.user_id, p.status)
        when p.status in ('paid', 'returned') and n.is_other and not n.is_resolved
            then format('payout %s of %s %s to %s: the provider paid %s %s to %s',
                p.id, p.amount, p.currency, p.user_id, m.amount, m.currency, m.user_id)
        when p.status in ('held', 'cancelled', 'queued', 'failed') and m.times > m.came_back
            then format('payout %s of %s %s to %s: it is %s, and the provider paid it',
                p.id, p.amount, p.currency, p.user_id, p.status)
    end as problem
from (select * from payouts where tenant_id = :tenant_id and provider = :listing_provider) p
full join moved m on m.reference = p.reference
cross join lateral (
    select (m.amount, m.currency, m.user_id) <> (p.amount, p.currency, p.user_id::text) as is_other,
        -- by a person, who knew what the provider says
        exists (
            select from payout_events e
            where e.tenant_id = :tenant_id and e.payout_id = p.id and e.what = 'resolved' offset 0
        ) as is_resolved
) n
