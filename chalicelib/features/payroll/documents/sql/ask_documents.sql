-- Marks the files of an approved run's payslips, or of one payslip, as requested: each once, or again where a request
-- from before :stale has no file. One row is one message: a range of employees with at most :at_once of them.
with requested as (
    insert into payslip_documents (tenant_id, payslip_id, asked_at)
    select p.tenant_id, p.id, :now
    from payslips p
    join payroll_runs r on r.tenant_id = :tenant_id and r.id = p.run_id and r.approved_at is not null
    where p.tenant_id = :tenant_id and p.run_id = :run_id
      and (cast(:payslip_id as uuid) is null or p.id = :payslip_id)
    on conflict (tenant_id, payslip_id) do update set asked_at = excluded.asked_at
        where payslip_documents.sha256 is null and payslip_documents.asked_at < :stale
    returning payslip_id
), numbered as (
    select p.user_id, (row_number() over (order by p.user_id) - 1) / :at_once as message
    from requested a
    join payslips p on p.tenant_id = :tenant_id and p.id = a.payslip_id
)
select (array_agg(user_id order by user_id))[1] as first, (array_agg(user_id order by user_id desc))[1] as last
from numbered
group by message
order by message
