-- One row per recipient and channel that they can be reached over and have not switched off; and for each that has to
-- leave, its message. What was told before, for the same cause, is there already and makes neither.
with notices as (
    select n.user_id, n.cause, n.entity_id, n.said, n.address
    from jsonb_to_recordset(cast(:notices as jsonb))
        n(user_id uuid, cause text, entity_id text, said jsonb, address text)
), reached as (
    select n.user_id, n.cause, n.entity_id, n.said, n.address, c.channel
    from notices n
    join users u on u.tenant_id = :tenant_id and u.id = n.user_id
    left join notification_preferences p on p.tenant_id = u.tenant_id and p.user_id = u.id
    cross join lateral (values
        ('email', coalesce(n.address, u.email) is not null), ('in_app', n.address is null),
        ('push', n.address is null and p.push_endpoint is not null),
        ('sms', n.address is null and p.phone is not null)
    ) c(channel, can_be)
    where c.can_be and (not :is_switchable or p.switched_off is null or not (:kind || '/' || c.channel) = any(p.switched_off))
), made as (
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
select :tenant_id, :queue, jsonb_build_object('log_id', id) from made where channel <> 'in_app'
returning id, body
