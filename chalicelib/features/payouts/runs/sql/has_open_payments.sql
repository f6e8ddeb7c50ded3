-- Whether a payslip of a payroll run waits to be paid, or its payout is on its way.
select exists (
        select from payable_earmarks
        where tenant_id = :tenant_id and run_id = :payroll_run_id and waits)
    or exists (
        select from payouts
        where tenant_id = :tenant_id and payroll_run_id = :payroll_run_id
          and status in ('held', 'queued', 'sending', 'unknown', 'review'))
