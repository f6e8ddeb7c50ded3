-- The payouts that a bank file orders: all of them leave the queue together with it, once. They are held by now.
with claimed as (
    update payouts set
        status = 'sending', fence = fence + 1, batch_id = :batch_id, first_sent_at = clock_timestamp(),
        lease_until = clock_timestamp() + :patience, look_at = clock_timestamp() + :patience
    where tenant_id = :tenant_id and id = any(cast(:payout_ids as uuid[])) and status = 'queued' and batch_id is null
    returning id, status, fence
), told as (
    insert into payout_events (tenant_id, payout_id, what, status, fence, detail, actor)
    select :tenant_id, id, 'sent', status, fence, :detail, :actor from claimed
)
select count(*) from claimed
