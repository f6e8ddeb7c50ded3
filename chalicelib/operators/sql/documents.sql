-- One row per payslip of a run that was booked an hour ago or earlier: it has its PDF, which takes minutes
-- to make. A warning, the books are right: requesting the PDF makes it again, and the logs have the typesetter's error.
select case when f.sha256 is null
        then format('payslip %s of %s %s: approved since %s, and it has no file', p.id, r.month, p.user_id,
            to_char(r.posted_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI"Z"'))
    end as problem
from payroll_runs r
join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
left join payslip_documents f on f.tenant_id = :tenant_id and f.payslip_id = p.id
where r.tenant_id = :tenant_id and r.posted_at < cast(:now as timestamptz) - interval '1 hour'
