-- One row per payslip of an approved run: where its money is, and why it did not arrive. A run from before payslips had
-- payouts of their own has no earmarks: once it is paid, what it booked is paid by runs of payouts.
select s.user_id, s.payslip_id, s.currency, s.net, s.status,
    case s.status
        when 'not_paid' then coalesce(
            case when not s.is_booked then 'not_booked_yet' when not :is_open then 'payouts_disabled' end, {blocked_by},
            case o.status when 'failed' then 'refused' when 'returned' then 'returned' when 'cancelled' then 'rejected'
                end, 'run_not_paid')
        when 'in_flight' then case
            when o.status = 'held' then 'held'
            when o.status = 'review' then 'in_review'
            when o.status = 'queued' and o.provider = 'manual' then 'waits_for_confirmation'
            when o.status = 'queued' and o.provider = 'bank_file' then 'waits_for_bank_file'
            else 'on_its_way' end
        else case when s.net <= 0 then 'nothing_to_pay' when s.netted > 0 then 'payable_already_used' end
    end as because,
    case when o.status not in ('paid', 'held', 'queued') then o.problem end as detail,
    case when o.status = 'paid' then o.amount else 0 * s.net end as paid, s.netted, s.payout_id
from (
    select p.user_id, p.id as payslip_id, p.currency, p.net, k.payout_id, k.payslip_id is not null as is_booked,
        coalesce(k.netted, 0 * p.net) as netted,
        case
            when p.net <= 0 then 'paid'
            when k.payslip_id is null and r.status = 'paid' then 'paid'
            when k.waits or k.payslip_id is null then 'not_paid'
            when k.netted = k.amount then 'paid'
            when exists (
                select from payouts o
                where o.tenant_id = :tenant_id and o.id = k.payout_id and o.status <> 'paid') then 'in_flight'
            else 'paid'
        end as status
    from payroll_runs r
    join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
    left join payable_earmarks k on k.tenant_id = :tenant_id and k.run_id = r.id and k.user_id = p.user_id
    where r.tenant_id = :tenant_id and r.id = :run_id
) s
left join payouts o on o.tenant_id = :tenant_id and o.id = s.payout_id
left join payout_destinations d on d.tenant_id = :tenant_id and d.user_id = s.user_id and d.superseded_at is null
