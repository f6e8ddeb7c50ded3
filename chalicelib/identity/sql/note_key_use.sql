-- Writes when a key was used, unless it was written just now or another transaction has its row locked.
update api_keys k set last_used_at = :now
from (
    select id from api_keys
    where tenant_id = :tenant_id and id = :id and (last_used_at is null or last_used_at < :before)
    for no key update skip locked
) due
where k.tenant_id = :tenant_id and k.id = due.id
