-- Adds holidays of a branch, or of the tenant where it is null; days that have one already keep it. Returns the new ids.
insert into holidays (tenant_id, day, name, branch_id)
select :tenant_id, d.day, d.name, cast(:branch_id as uuid)
from unnest(cast(:days as date[]), cast(:names as text[])) d(day, name)
on conflict (tenant_id, day, branch_id) do nothing
returning id
