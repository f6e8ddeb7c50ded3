-- Adopt a payout that the books have lost, as the provider's own list has it: its money leaves payable now, and the
-- employee owes whatever is not on the books. Their accounts are locked by now.
with previous as (
    -- the last payout of all that was owed; one of a payslip paid only the payslip
    select coalesce(max(e.number), 0) as number
    from ledger_entries e
    join payouts p on p.tenant_id = :tenant_id and p.id = e.subject_id and p.kind <> 'matched' and p.payslip_id is null
    where e.tenant_id = :tenant_id and e.user_id = :user_id and e.currency = :currency and e.event = 'payout'
), owed as (
    -- one row per line since: what was owed after it, without payslips, which have payouts of their own
    select e.number, sum(case e.credit when 'payable' then e.amount else -e.amount end) over (order by e.number) as sum
    from ledger_entries e cross join previous
    where e.tenant_id = :tenant_id and e.user_id = :user_id and e.currency = :currency
      and 'payable' in (e.debit, e.credit) and e.number > previous.number
      and not exists (
        select from payable_earmarks k where k.tenant_id = :tenant_id and k.payslip_id = e.subject_id)
      and not exists (
        select from payouts o where o.tenant_id = :tenant_id and o.id = e.subject_id and o.payslip_id is not null)
), adopted as (
    insert into payouts (
        tenant_id, user_id, currency, amount, after_number, through_number, kind, provider, reference, status,
        prepared_by, created_at)
    select :tenant_id, :user_id, :currency, :amount, number,
        -- it pays the lines that add up to its amount, or none if the books have lost them too
        coalesce((select min(owed.number) from owed where owed.sum = :amount), number),
        'matched', :provider, :reference, 'queued', :actor, :now
    from previous
    returning tenant_id, id, user_id, currency, amount, provider, destination_id, reference, status, fence, looks,
        first_sent_at, unknown_since, provider_reference, problem, batch_id, bank, payroll_run_id
), events as (
    insert into payout_events (tenant_id, payout_id, what, status, fence, detail, actor)
    select tenant_id, id, 'made', status, 0, :detail, :actor from adopted
), booked as (
    insert into ledger_entries
        (tenant_id, user_id, subject_id, event, debit, credit, currency, amount, booked_at)
    select tenant_id, user_id, id, 'payout', 'payable', 'cash', currency, amount, :now from adopted
)
select * from adopted
