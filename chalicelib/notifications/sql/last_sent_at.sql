-- When a notification of the same kind was last sent to the user over the channel, within the quiet period.
select max(sent_at) from notification_logs
where tenant_id = :tenant_id and user_id = :user_id and kind = :kind and channel = :channel
  and id <> :id and status = 'sent' and sent_at > clock_timestamp() - :quiet
