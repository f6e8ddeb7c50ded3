select tenant_id, id as sale_id, user_id from bench.sales where k > 0 order by id
