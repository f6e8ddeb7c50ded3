-- One row per salary that some employees ever had or will have.
select user_id, effective_from, amount, currency, frequency
from salaries
where tenant_id = :tenant_id and user_id = any(cast(:user_ids as uuid[]))
