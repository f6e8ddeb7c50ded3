-- Settles the late corrections whose differences an approved run pays: those that stood when its calculation began, of
-- months that a regular run had paid before it did. A run for some people settles what concerns them alone; any other
-- was calculated for everybody whom a correction concerns.
update late_corrections c set settled_at = :since
from payroll_runs paid, payroll_runs run
where c.tenant_id = :tenant_id and c.noted_at <= :since and (c.settled_at is null or c.noted_at > c.settled_at)
  and paid.tenant_id = :tenant_id and paid.month = c.month and paid.kind = 'regular'
  and paid.approved_at <= :since
  and run.tenant_id = :tenant_id and run.id = :run_id and (run.user_ids is null or c.user_id = any(run.user_ids))
