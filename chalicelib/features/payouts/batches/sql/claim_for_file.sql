-- Claim the payouts of a bank file, which are locked by now: all of them leave the queue together with it, once. Their
-- lease ends when the bank should have answered.
with claimed as (
    update payouts set
        status = 'sending', fence = fence + 1, batch_id = :batch_id, first_sent_at = clock_timestamp(),
        lease_until = clock_timestamp() + :lease, look_at = clock_timestamp() + :lease
    where tenant_id = :tenant_id and id = any(cast(:payout_ids as uuid[])) and status = 'queued' and batch_id is null
    returning id, status, fence
), events as (
    insert into payout_events (tenant_id, payout_id, what, status, fence, detail, actor)
    select :tenant_id, id, 'sent', status, fence, :detail, :actor from claimed
)
select count(*) from claimed
