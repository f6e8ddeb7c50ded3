select tenant_id, bench.key('tenant key', no) as id, '\x00'::bytea as wrapped from bench.tenants
