-- One row per user and channel, where the channel reaches the user and is not switched off; and a message in the outbox
-- for each row that has to be sent. A cause of which the user was notified before has its row, and makes neither.
with requested as (
    select n.user_id, n.cause, n.entity_id, n.said, n.address
    from jsonb_to_recordset(cast(:notifications as jsonb))
        n(user_id uuid, cause text, entity_id text, said jsonb, address text)
), reached as (
    select n.user_id, n.cause, n.entity_id, n.said, n.address, c.channel
    from requested n
    join users u on u.tenant_id = :tenant_id and u.id = n.user_id
    left join notification_preferences p on p.tenant_id = u.tenant_id and p.user_id = u.id
    cross join lateral (values
        ('email', coalesce(n.address, u.email) is not null), ('in_app', n.address is null),
        ('push', n.address is null and p.push_endpoint is not null),
        ('sms', n.address is null and p.phone is not null)
    ) c(channel, can_be)
    where c.can_be and (not :is_switchable or p.switched_off is null or not (:kind || '/' || c.channel) = any(p.switched_off))
), inserted as (
    -- what is shown in the app has arrived with the commit
    insert into notification_logs
        (tenant_id, user_id, kind, channel, cause, entity_type, entity_id, said, address, status, look_at, created_at, sent_at)
    select :tenant_id, user_id, :kind, channel, cause, :entity_type, entity_id, said, address,
        case channel when 'in_app' then 'sent' else 'pending' end,
        case when channel <> 'in_app' then clock_timestamp() end,
        cast(:now as timestamptz),
        case channel when 'in_app' then cast(:now as timestamptz) end
    from reached
    on conflict (tenant_id, user_id, kind, cause, channel) do nothing
    returning id, channel
)
insert into outbox (tenant_id, queue, body)
select :tenant_id, :queue, jsonb_build_object('log_id', id) from inserted where channel <> 'in_app'
returning id, body
