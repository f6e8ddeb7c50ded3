-- One row per employee and currency with something owed or in flight: the sums, and the parts that explain them. Two
-- index scans in the order of the answer find who is on the page (keyset pagination), and only their parts are read.
with owed as (
    select a.owner_id as user_id, a.currency from ledger_accounts a
    where a.tenant_id = :tenant_id and a.kind = 'payable' and a.balance < 0
      and (cast(:user_id as uuid) is null or a.owner_id = :user_id)
      and (cast(:only_currency as text) is null or a.currency = :only_currency)
      and (cast(:after_user_id as uuid) is null
        or (a.owner_id, a.currency) > (cast(:after_user_id as uuid), cast(:after_currency as text))){owed_filter}
    order by a.owner_id, a.currency limit cast(:most as bigint)
), in_flight as (
    select p.user_id, p.currency from payouts p
    where p.tenant_id = :tenant_id and p.status in ('held', 'queued', 'sending', 'unknown', 'review')
      and (cast(:user_id as uuid) is null or p.user_id = :user_id)
      and (cast(:only_currency as text) is null or p.currency = :only_currency)
      and (cast(:after_user_id as uuid) is null
        or (p.user_id, p.currency) > (cast(:after_user_id as uuid), cast(:after_currency as text))){in_flight_filter}
    group by p.user_id, p.currency
    order by p.user_id, p.currency limit cast(:most as bigint)
), page_keys as (
    select user_id, currency from owed
    union
    select user_id, currency from in_flight
    order by user_id, currency limit cast(:most as bigint)
), parts as (
    select c.user_id, c.currency, p.*
    from page_keys c
    left join ledger_accounts a on a.tenant_id = :tenant_id and a.kind = 'payable' and a.owner_id = c.user_id
        and a.currency = c.currency
    left join payout_destinations d on d.tenant_id = :tenant_id and d.user_id = c.user_id and d.superseded_at is null
    cross join lateral (
        select case when not :is_open then 'payouts_disabled' else {blocked_by} end as reason
    ) blocked
    cross join lateral (
        -- owed, and not booked by a payroll run
        select 1 as place, n.amount,
            case when n.amount < 0 then 'netted' else coalesce(blocked.reason,
                case when n.amount < :minimum and c.currency = :currency then 'below_minimum' end, 'next_run')
            end as because, null::uuid as payroll_run_id, null::uuid as payout_id
        from (
            select coalesce(-a.balance, 0) - coalesce(sum(k.amount - k.netted), 0) as amount from payable_earmarks k
            where k.tenant_id = :tenant_id and k.user_id = c.user_id and k.currency = c.currency and k.waits
        ) n
        where n.amount <> 0
        union all
        -- earmarked: only its payroll run pays it
        select 2, k.amount - k.netted, coalesce(blocked.reason,
            case o.status when 'failed' then 'refused' when 'returned' then 'returned' when 'cancelled' then 'rejected'
                end, 'run_not_paid'), k.run_id, null
        from payable_earmarks k
        left join payouts o on o.tenant_id = :tenant_id and o.id = k.payout_id
        where k.tenant_id = :tenant_id and k.user_id = c.user_id and k.currency = c.currency and k.waits
        union all
        -- in flight
        select 3, o.amount, case
                when o.status = 'held' then 'held'
                when o.status = 'review' then 'in_review'
                when o.status = 'queued' and o.provider = 'manual' then 'waits_for_confirmation'
                when o.status = 'queued' and o.provider = 'bank_file' then 'waits_for_bank_file'
                else 'on_its_way' end, o.payroll_run_id, o.id
        from payouts o
        where o.tenant_id = :tenant_id and o.user_id = c.user_id and o.currency = c.currency
          and o.status in ('held', 'queued', 'sending', 'unknown', 'review')
    ) p
), page as (
    select user_id, currency, coalesce(sum(amount) filter (where place < 3), 0) as owed,
        coalesce(sum(amount) filter (where place = 3), 0) as in_flight,
        jsonb_agg(jsonb_build_object('because', because, 'amount', amount::text, 'payroll_run_id', payroll_run_id,
            'payout_id', payout_id) order by place, payroll_run_id, payout_id) as parts
    from parts
    group by user_id, currency
    having cast(:because as text) is null or bool_or(because = :because)
    order by user_id, currency limit :limit
)
select page.*, u.name, e.employee_no
from page
join users u on u.tenant_id = :tenant_id and u.id = page.user_id
left join employments e on e.tenant_id = :tenant_id and e.user_id = page.user_id
order by page.user_id, page.currency
