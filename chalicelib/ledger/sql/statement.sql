-- An employee's lines from one moment to another, and per currency what their accounts stood at before and after.
-- One statement, so that sums and lines are of one moment: after = before + lines, whatever is posted meanwhile.
with mine as (
    -- one row per line of the employee's own accounts, with what it does to each, as the employee sees it
    select number, subject_id, event, debit, credit, currency, booked_at,
        case 'payable' when credit then amount when debit then -amount else 0 end as payable,
        case 'advances' when debit then amount when credit then -amount else 0 end as advances
    from ledger_entries
    where tenant_id = :tenant_id and user_id = :user_id
      and ('payable' in (debit, credit) or 'advances' in (debit, credit))
), before as (
    -- one row per currency, from the employee's whole history: it is only added up
    select currency, sum(payable) as payable, sum(advances) as advances
    from mine where booked_at < :since group by currency
), within as materialized (
    select *, sum(payable) over so_far as payable_so_far, sum(advances) over so_far as advances_so_far
    from mine where booked_at >= :since and booked_at < :until
    window so_far as (partition by currency order by number)
), during as (
    select currency, sum(payable) as payable, sum(advances) as advances from within group by currency
), sums as (
    -- one row per currency in which anything was posted by then
    select currency, coalesce(b.payable, 0) as opening_payable, coalesce(b.advances, 0) as opening_advances,
        coalesce(b.payable, 0) + coalesce(d.payable, 0) as closing_payable,
        coalesce(b.advances, 0) + coalesce(d.advances, 0) as closing_advances
    from before b full join during d using (currency)
), page as (
    select * from within where number > :after order by number limit :limit
)
select s.*, p.number, p.subject_id, p.event, p.debit, p.credit, p.booked_at, p.payable, p.advances,
    s.opening_payable + p.payable_so_far as payable_after, s.opening_advances + p.advances_so_far as advances_after
from sums s left join page p using (currency)
order by p.number, s.currency
