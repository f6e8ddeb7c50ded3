-- Switch off the kind of one mail for its user. A second time changes nothing.
insert into notification_preferences as p (tenant_id, user_id, switched_off, version)
select tenant_id, user_id, array[kind || '/email'], 2
from notification_logs where tenant_id = :tenant_id and id = :log_id
on conflict (tenant_id, user_id) do update
    set switched_off = p.switched_off || excluded.switched_off, version = p.version + 1
    where not p.switched_off @> excluded.switched_off
