-- One row per payout: the ids of everybody who had a part in it, by what they did.
with recursive paid as (
    -- each payout, and the earlier payouts whose released money it pays again
    select p.id as payout_id, p.id as paid_id from payouts p
    where p.tenant_id = :tenant_id and p.id = any(cast(:payout_ids as uuid[]))
    union
    select paid.payout_id, l.subject_id from paid
    cross join lateral payout_lines(:tenant_id, paid.paid_id) l
    where l.event = 'release'
), sold as (
    select distinct paid.payout_id, s.id as sale_id, s.created_by_ids from paid
    cross join lateral payout_lines(:tenant_id, paid.paid_id) l
    join sales s on s.tenant_id = :tenant_id and s.id = l.subject_id
)
select p.id, p.user_id,
    -- the code before 2026-12, which may still run during a deployment, wrote one id alone
    p.prepared_by_ids || array_remove(array[p.prepared_by_user_id], null) as prepared_by_ids,
    array(select distinct unnest(created_by_ids) from sold where payout_id = p.id) as made_sale,
    array(
        select distinct unnest(d.decided_by_ids) from sold
        join sale_decisions d on d.tenant_id = :tenant_id and d.sale_id = sold.sale_id
        where sold.payout_id = p.id) as decided_sale,
    -- bank details count no more once a second person confirmed them, or once money arrived there
    array(
        select unnest(t.created_by_ids) from payout_destinations t
        where t.tenant_id = :tenant_id and t.id = p.destination_id and t.confirmed_at is null
          and not exists (
              select from payouts b
              where b.tenant_id = :tenant_id and b.user_id = p.user_id and b.destination_id = t.id
                and b.status = 'paid')) as set_destination
from payouts p where p.tenant_id = :tenant_id and p.id = any(cast(:payout_ids as uuid[]))
