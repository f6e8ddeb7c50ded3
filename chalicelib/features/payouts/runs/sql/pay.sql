-- One row per payout made: one for each candidate who can be paid. The money leaves payable in the same statement, so
-- that no debt is paid by two payouts. The candidates' accounts are locked by the caller. owed_outside_runs.sql or
-- owed_by_run.sql selects the candidates and what each is owed; blocked_by.sql is the reason to leave one out.
with candidates as materialized (
{candidates}
), destined as materialized (
    -- the destination and the provider of each
    select c.*, d.id as destination_id, p.provider, {blocked_by} as blocked_by
    from candidates c
    left join lateral (
        select d.id, d.kind, d.held_until from payout_destinations d
        where d.tenant_id = :tenant_id and d.user_id = c.user_id and d.superseded_at is null offset 0
    ) d on true
    cross join lateral (
        select case when d.kind = 'manual' or (d.id is null and :is_manual_without_account) then 'manual'
            else :provider end as provider
    ) p
), owed as materialized (
    select uuidv7() as id, uuidv7() as message_id, d.*,
        case when same_key.count = 0 then content.key
            else left(content.key, 28) || 'r' || lpad(same_key.count::text, 3, '0') end as reference,
        approval.because is not null as awaits_approval, approval.because as approval_because,
        d.provider = :provider and :provider_is_called as is_called
    from destined d
    cross join lateral (
        -- the idempotency key: derived from what is paid, so that it is the same after a restore
        select left(encode(sha256(convert_to(
            concat_ws('|', cast(:tenant_id as uuid), d.user_id, d.currency, d.amount, d.booked_key), 'UTF8')
        ), 'hex'), 32) as key offset 0
    ) content
    cross join lateral (
        -- a payout that was adopted from the provider's list, and came back, may have paid the same
        select count(*) from payouts p
        where p.tenant_id = :tenant_id
          and p.reference >= left(content.key, 28) and p.reference < left(content.key, 28) || 'z' offset 0
    ) same_key
    left join lateral (
        -- What the employee was paid outside payroll runs within 24 hours; what awaits approval is not paid yet. Two
        -- payouts of one employee cannot both miss the other, as the account is locked.
        select coalesce(sum(p.amount), 0) as amount from payouts p
        where p.tenant_id = :tenant_id and p.user_id = d.user_id and p.currency = d.currency
          and p.created_at > cast(:now as timestamptz) - interval '24 hours' and p.payslip_id is null
          and p.status in ('queued', 'sending', 'unknown', 'review', 'paid') offset 0
    ) last_day on d.payslip_id is null
    cross join lateral (
        select case
            -- what an approved run pays was approved by a second person
            when d.payslip_id is not null then null
            when cast(:limits as jsonb) ? d.currency then
                case when last_day.amount + d.amount > (cast(:limits as jsonb) ->> d.currency)::numeric
                    then 'above_limit' end
            when :is_limited then 'no_limit_for_currency'
            -- without a limit, users who may make, decide or run payouts cannot pay themselves
            when d.user_id = any(cast(:insider_ids as uuid[])) then 'may_pay_themselves'
        end as because
    ) approval
    where d.amount > 0 and d.blocked_by is null
    order by d.user_id, d.currency
), inserted as (
    insert into payouts (
        tenant_id, id, user_id, currency, amount, after_number, through_number, kind, job_id, provider,
        destination_id, reference, status, look_at, prepared_by, prepared_by_ids, created_at,
        payslip_id, payroll_run_id)
    select :tenant_id, id, user_id, currency, amount, after_number, through_number, :kind, cast(:job_id as uuid),
        provider, destination_id, reference,
        case when awaits_approval then 'held' else 'queued' end,
        case when not awaits_approval and is_called then clock_timestamp() + :resend_after end,
        :actor, cast(:actor_ids as uuid[]), :now, payslip_id, payroll_run_id
    from owed
), events as (
    insert into payout_events (tenant_id, payout_id, what, status, fence, detail, actor)
    select :tenant_id, id, 'made', case when awaits_approval then 'held' else 'queued' end, 0, approval_because, :actor from owed
), posted as (
    insert into ledger_entries
        (tenant_id, user_id, subject_id, event, debit, credit, currency, amount, booked_at)
    select :tenant_id, user_id, id, 'payout', 'payable', 'cash', currency, amount, :now from owed
), netted as (
    -- what an employee owes us is taken from the net of their payslip
    insert into payable_nettings (tenant_id, user_id, payslip_id, number, currency, amount, booked_at)
    select :tenant_id, user_id, payslip_id, last_number, currency, earmarked - amount, :now from destined
    where payslip_id is not null and earmarked > amount and (amount = 0 or blocked_by is null)
), settled as (
    update payable_earmarks e
    set waits = false, netted = e.netted + d.earmarked - d.amount, payout_id = coalesce(o.id, e.payout_id)
    from destined d
    left join owed o on o.payslip_id = d.payslip_id
    where e.tenant_id = :tenant_id and e.run_id = d.payroll_run_id and e.user_id = d.user_id
      and (o.id is not null or d.amount = 0)
), sent as (
    insert into outbox (tenant_id, id, queue, body)
    select :tenant_id, message_id, :queue, jsonb_build_object('payout_id', id) from owed where is_called and not awaits_approval
)
select id, awaits_approval, is_called, message_id from owed order by id
