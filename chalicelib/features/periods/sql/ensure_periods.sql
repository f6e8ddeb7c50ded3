-- Makes the rows of pay periods that have none yet.
insert into pay_periods (tenant_id, month, start_on, end_on)
select :tenant_id, p.month, p.start_on, p.end_on
from unnest(cast(:months as text[]), cast(:starts as date[]), cast(:ends as date[])) p(month, start_on, end_on)
-- most have one already, and a conflict would write
where not exists (select from pay_periods k where k.tenant_id = :tenant_id and k.month = p.month)
order by p.month
on conflict do nothing
