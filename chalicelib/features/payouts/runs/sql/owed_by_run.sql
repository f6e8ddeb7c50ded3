    -- One row per employee whose payslip of a run waits to be paid: the smaller of what is left of its net and of what
    -- is payable at all. Where that is nothing, the net went into what the employee owed.
    select e.user_id, e.currency, least(n.earmarked, greatest(-a.balance, 0)) as amount, n.earmarked, e.payslip_id,
        e.run_id as payroll_run_id, line.number - 1 as after_number, line.number as through_number,
        latest.number as last_number,
        -- what was booked last for the payslip: its net, or what its last payout released
        concat_ws('/', coalesce(e.payout_id, e.payslip_id), case when e.payout_id is null then 'payroll' else 'release' end)
            as booked_key
    from payable_earmarks e
    join ledger_accounts a on a.tenant_id = :tenant_id and a.kind = 'payable' and a.owner_id = e.user_id
        and a.currency = e.currency
    cross join lateral (select e.amount - e.netted as earmarked) n
    cross join lateral (
        select l.number from ledger_entries l
        where l.tenant_id = :tenant_id and l.subject_id = e.payslip_id and l.event = 'payroll' and l.revision = 1
          and l.line = 1 offset 0
    ) line
    cross join lateral (
        select l.number from ledger_entries l
        where l.tenant_id = :tenant_id and l.user_id = e.user_id and l.currency = e.currency
          and 'payable' in (l.debit, l.credit)
        order by l.number desc limit 1
    ) latest
    where e.tenant_id = :tenant_id and e.run_id = :payroll_run_id and e.user_id = any(cast(:user_ids as uuid[]))
      and e.waits
