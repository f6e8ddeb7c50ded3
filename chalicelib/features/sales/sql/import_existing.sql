-- One row per sale that exists under one of a file's external ids.
select external_id, user_id, brand, earning, currency, occurred_at
from sales where tenant_id = :tenant_id and external_id = any(cast(:external_ids as text[]))
