    -- One row per employee and currency: who is owed at least the minimum, not counting what payslips have earmarked
    -- and their payroll run has not paid yet.
    select a.user_id, a.currency, o.amount, 0::numeric as earmarked, null::uuid as payslip_id,
        null::uuid as payroll_run_id, coalesce(previous.number, 0) as after_number, latest.number as through_number,
        latest.number as last_number, latest.key as booked_key
    from ledger_accounts a
    cross join lateral (
        select -a.balance - coalesce(sum(e.amount - e.netted), 0) as amount from payable_earmarks e
        where e.tenant_id = :tenant_id and e.user_id = a.owner_id and e.currency = a.currency and e.waits offset 0
    ) o
    cross join lateral (
        -- the last line that this pays; its natural key is the same after a restore
        select e.number, concat_ws('/', e.subject_id, e.event, e.revision, e.line) as key from ledger_entries e
        where e.tenant_id = :tenant_id and e.user_id = a.owner_id and e.currency = a.currency
          and 'payable' in (e.debit, e.credit)
        order by e.number desc limit 1
    ) latest
    left join lateral (
        -- the payout before paid all there was, so this one pays what was booked since. One adopted from the provider's
        -- list paid what the list says, and is netted among the lines; one of a payslip paid only that
        select e.number from ledger_entries e
        where e.tenant_id = :tenant_id and e.user_id = a.owner_id and e.currency = a.currency and e.event = 'payout'
          and exists (
            select from payouts p
            where p.tenant_id = :tenant_id and p.id = e.subject_id and p.kind <> 'matched' and p.payslip_id is null)
        order by e.number desc limit 1
    ) previous on true
    where a.tenant_id = :tenant_id and a.kind = 'payable'
      and a.owner_id = any(cast(:user_ids as uuid[]))
      and a.balance < 0
      and o.amount > 0 and (o.amount >= :minimum or a.currency <> :currency)
