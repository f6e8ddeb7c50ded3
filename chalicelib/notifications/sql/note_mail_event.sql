-- Mark a mail that came back, with the rows collapsed into it, and suppress its address. After a retry the mail may have
-- another id at SES than the row has, and the same address. A pending row was sent by a worker that was killed before it
-- settled. An event that comes twice finds the row changed already, and suppresses nothing again.
with noted as (
    update notification_logs set
        status = case when :reason = 'bounce' then 'bounced' when status = 'pending' then 'sent' else status end,
        look_at = null, provider_id = coalesce(provider_id, :provider_id), problem = :problem
    where tenant_id = :tenant_id and (id = :log_id or collapsed_into = :log_id)
      and channel = 'email' and sent_to is not null
      and (provider_id is null or provider_id = :provider_id or attempts > 1)
      and status <> 'bounced' and problem is distinct from :problem
    returning tenant_id, id, sent_to
), suppressed as (
    insert into notification_suppressions (tenant_id, address, reason, log_id)
    select tenant_id, lower(sent_to), :reason, id from noted where :suppress and id = :log_id
    on conflict (tenant_id, address) do nothing
)
select id from noted where id = :log_id
