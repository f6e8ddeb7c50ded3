select tenant_id, id, user_id, 'Brand ' || brand as brand, 'S' || lpad(number::text, 9, '0') as external_id,
    earning, 'BDT' as currency, at as occurred_at, 'Shop' as created_by, at as created_at
from bench.sales order by id
