-- Collapse the notifications that wait into the one that is sent. Rows locked by another attempt are left to it; those
-- that an earlier attempt of this row collapsed stay with it.
with waiting as (
    select id from notification_logs
    where tenant_id = :tenant_id and user_id = :user_id and kind = :kind and channel = :channel and id <> :id
      and status = 'pending' and (collapsed_into = :id or collapsed_into is null and attempts = 0)
    order by id limit :most
    for update skip locked
), collapsed as (
    update notification_logs l
    set collapsed_into = :id, look_at = clock_timestamp() + :lease, sent_to = :sent_to
    from waiting w where l.tenant_id = :tenant_id and l.id = w.id
    returning l.id, l.said
)
select said from collapsed order by id
