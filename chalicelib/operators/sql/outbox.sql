-- One row per message that was not sent yet: the sweeper sends what is older than a minute, unless its tenant is
-- suspended.
select case when created_at < cast(:now as timestamptz) - interval '10 minutes'
        then format('%s: to %s, not sent since %s', id, queue, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI"Z"'))
    end as problem
from outbox
where tenant_id = :tenant_id and sent_at is null
    and exists (select from tenants t where t.id = :tenant_id and t.status = 'active')
