-- Copy the outcome of a notification to the rows that were collapsed into it.
update notification_logs l
set status = leader.status, look_at = leader.look_at, problem = leader.problem, provider_id = leader.provider_id,
    sent_at = leader.sent_at
from notification_logs leader
where leader.tenant_id = :tenant_id and leader.id = :id
  and l.tenant_id = :tenant_id and l.collapsed_into = :id and l.status = 'pending'
