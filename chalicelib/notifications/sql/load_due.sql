-- A notification whose attempt is due, with its user's addresses and preferences as they are now. Due by the database's
-- clock, which set the moment; a message that comes twice finds the lease of the first.
select l.id, l.user_id, l.kind, l.channel, l.said as values, l.attempts, u.name, u.language, t.name as tenant_name,
    t.branding,
    case l.channel when 'email' then coalesce(l.address, u.email)
        when 'push' then p.push_endpoint when 'sms' then p.phone end as sent_to,
    coalesce(l.kind || '/' || l.channel = any(p.switched_off), false) as is_switched_off,
    s.reason as suppressed_because, s.created_at as suppressed_at
from notification_logs l
join tenants t on t.id = l.tenant_id
join users u on u.tenant_id = l.tenant_id and u.id = l.user_id
left join notification_preferences p on p.tenant_id = l.tenant_id and p.user_id = l.user_id
left join notification_suppressions s
    on l.channel = 'email' and s.tenant_id = l.tenant_id and s.address = lower(coalesce(l.address, u.email))
where l.tenant_id = :tenant_id and l.id = :id and l.status = 'pending' and l.look_at <= clock_timestamp()
  and l.collapsed_into is null
for update of l
