-- One row per sale: it is either pending or decided, its decisions are numbered without gaps, and its postings are those
-- of the last one (advance: owed for now; approved: the earning is owed; declined: nothing is).
with
decided as (
    -- one row: a sale's decisions
    select sale_id, max(revision) as latest, count(*) as times,
        (array_agg(status order by revision desc))[1] as status,
        bool_or(status = before) as is_twice
    from (
        select *, lag(status) over (partition by sale_id order by revision) as before
        from sale_decisions where tenant_id = :tenant_id
    ) d
    group by sale_id
),
booked as (
    -- one row per sale: its postings by account, and its advance
    select subject_id as sale_id,
        sum(case 'payable' when credit then amount when debit then -amount else 0 end) as payable,
        sum(case 'advances' when debit then amount when credit then -amount else 0 end) as advances,
        sum(case 'sales_cost' when debit then amount when credit then -amount else 0 end) as cost,
        coalesce(sum(amount) filter (where event = 'advance'), 0) as advance
    from ledger_entries
    where tenant_id = :tenant_id and event in ('advance', 'approve', 'decline', 'reverse')
    group by subject_id
)
select case
        when s.earning is null
            then format('sale %s: it is not there, but lines or decisions of it are', sale_id)
        when p.is_pending and d.times > 0
            then format('sale %s: it was %s and is still on the list of those to decide', sale_id, d.status)
        when p.is_pending is null and d.times is null
            then format('sale %s of %s %s: nobody decided it, and it is not on the list',
                sale_id, s.earning, s.currency)
        when d.times <> d.latest
            then format('sale %s: %s decisions, the last is number %s', sale_id, d.times, d.latest)
        when d.is_twice
            then format('sale %s: it was %s twice in a row', sale_id, d.status)
        when (n.payable, n.advances, n.cost) <> (n.payable_due, n.advances_due, n.cost_due)
            then format('sale %s of %s %s, %s: booked payable %s, advances %s, cost %s instead of %s, %s, %s',
                sale_id, s.earning, s.currency, coalesce(d.status, 'pending'),
                n.payable, n.advances, n.cost, n.payable_due, n.advances_due, n.cost_due)
    end as problem
from (select id as sale_id, earning, currency from sales where tenant_id = :tenant_id) s
full join booked b using (sale_id)
full join decided d using (sale_id)
full join (select sale_id, true as is_pending from pending_sales where tenant_id = :tenant_id) p using (sale_id)
cross join lateral (
    select coalesce(b.payable, 0) as payable, coalesce(b.advances, 0) as advances, coalesce(b.cost, 0) as cost,
        case d.status when 'approved' then s.earning when 'declined' then 0 else coalesce(b.advance, 0) end
            as payable_due,
        case when d.status is null then coalesce(b.advance, 0) else 0 end as advances_due,
        case d.status when 'approved' then s.earning else 0 end as cost_due
) n
