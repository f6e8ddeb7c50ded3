-- The tenants whose nightly job is due: it is past :starts_at where they are, and the job is not done for the day that it
-- is for. A tenant stays due until it is, so a lost message or a missed night is found by the next round.
select t.id
from tenants t
left join nightly_runs n on n.tenant_id = t.id and n.kind = :kind
where t.status = 'active' and (:now at time zone t.timezone)::time >= :starts_at
  and coalesce(n.done_on, '-infinity') < (:now at time zone t.timezone)::date - cast(:days_back as integer)
order by t.id
