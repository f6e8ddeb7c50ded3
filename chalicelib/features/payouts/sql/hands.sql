-- Who had a part in each of some payouts: one row per payout, with all their ids by what they did.
with recursive paid as (
    -- the ledger lines that each payout pays; what an earlier one gave back leads to the lines which that one paid
    select p.id as payout_id, p.user_id, p.currency, p.after_number, p.through_number
    from payouts p where p.tenant_id = :tenant_id and p.id = any(cast(:payout_ids as uuid[]))
    union
    select paid.payout_id, b.user_id, b.currency, b.after_number, b.through_number
    from paid
    join ledger_entries e on e.tenant_id = :tenant_id and e.user_id = paid.user_id and e.currency = paid.currency
        and e.number > paid.after_number and e.number <= paid.through_number and e.event = 'release'
    join payouts b on b.tenant_id = :tenant_id and b.id = e.subject_id
), sold as (
    select distinct paid.payout_id, s.id as sale_id, s.created_by_ids
    from paid
    join ledger_entries e on e.tenant_id = :tenant_id and e.user_id = paid.user_id and e.currency = paid.currency
        and e.number > paid.after_number and e.number <= paid.through_number
        and 'payable' in (e.debit, e.credit)
    join sales s on s.tenant_id = :tenant_id and s.id = e.subject_id
)
select p.id, p.user_id, p.prepared_by_ids,
    array(select distinct unnest(created_by_ids) from sold where payout_id = p.id) as made_sale,
    array(
        select distinct unnest(d.decided_by_ids) from sold
        join sale_decisions d on d.tenant_id = :tenant_id and d.sale_id = sold.sale_id
        where sold.payout_id = p.id) as decided_sale,
    -- bank details are settled once a second person confirmed them, or once money arrived there
    array(
        select unnest(t.created_by_ids) from payout_destinations t
        where t.tenant_id = :tenant_id and t.id = p.destination_id and t.confirmed_at is null
          and not exists (
              select from payouts b
              where b.tenant_id = :tenant_id and b.user_id = p.user_id and b.destination_id = t.id
                and b.status = 'paid')) as set_destination
from payouts p where p.tenant_id = :tenant_id and p.id = any(cast(:payout_ids as uuid[]))
