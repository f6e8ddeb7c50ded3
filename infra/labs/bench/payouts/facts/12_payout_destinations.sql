-- everybody has one; nobody opens them here
select tenant_id, bench.key('destination', n) as id, user_id, 'simulated' as kind, 'simulated' as masked,
    '\x00'::bytea as sealed, bench.key('tenant key', no) as key_id, 'HR' as created_by
from bench.people order by n
