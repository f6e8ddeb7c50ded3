-- The payouts of a file whose employee was paid elsewhere before, and the bank details changed lately.
select p.id as payout_id, p.user_id, d.holder, d.masked,
    case when d.requested_at is null then d.created_at else d.confirmed_at end as changed_at
from payouts p
join payout_batches b on b.tenant_id = :tenant_id and b.id = p.batch_id
join payout_destinations d on d.tenant_id = :tenant_id and d.id = p.destination_id
    and coalesce(d.confirmed_at, d.created_at) > b.created_at - interval '30 days'
where p.tenant_id = :tenant_id and p.batch_id = :batch_id and exists (
    select from payout_destinations o
    where o.tenant_id = :tenant_id and o.user_id = p.user_id and o.id <> d.id and o.created_at < d.created_at
      and (o.requested_at is null or o.confirmed_at is not null))
order by changed_at desc, p.id limit 200
