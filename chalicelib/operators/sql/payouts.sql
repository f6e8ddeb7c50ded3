-- One row per payout: it pays its payslip or what was booked since the one before, took its money out of payable once,
-- and gave it back once if and only if it failed, was cancelled or came back.
with
booked as (
    -- one row per payout: its postings; `others` counts lines with another amount, person or account
    select l.subject_id,
        count(*) filter (where l.event = 'payout') as taken,
        count(*) filter (where l.event = 'release') as given_back,
        count(*) filter (where p.id is not null and (l.user_id, l.currency, l.amount, l.debit, l.credit)
            <> (p.user_id, p.currency, p.amount, case l.event when 'payout' then 'payable' else 'cash' end,
                case l.event when 'payout' then 'cash' else 'payable' end)) as others,
        sum(l.amount) filter (where l.event = 'payout') as amount, min(l.currency) as currency
    from ledger_entries l
    left join payouts p on p.tenant_id = :tenant_id and p.id = l.subject_id
    where l.tenant_id = :tenant_id and l.event in ('payout', 'release')
    group by l.subject_id
)
select case
        when p.id is null
            then format('money taken for a payout %s, which is not there: %s %s', b.subject_id, b.amount, b.currency)
        when coalesce(b.taken, 0) <> 1
            then format('payout %s of %s %s to %s: its money was taken out of payable %s times',
                p.id, p.amount, p.currency, p.user_id, coalesce(b.taken, 0))
        when b.given_back <> n.to_give_back
            then format('payout %s of %s %s to %s: it is %s, and its money was given back %s times',
                p.id, p.amount, p.currency, p.user_id, p.status, b.given_back)
        when b.others > 0
            then format('payout %s of %s %s to %s: %s of its lines are of another amount, person or account',
                p.id, p.amount, p.currency, p.user_id, b.others)
        -- a payout adopted from the provider's list after a restore may pay what the books have lost
        when n.lines <> p.amount and not (p.kind = 'matched' and n.lines = 0)
            then format('payout %s of %s %s to %s: what it pays comes to %s',
                p.id, p.amount, p.currency, p.user_id, n.lines)
    end as problem
from (select * from payouts where tenant_id = :tenant_id) p
full join booked b on b.subject_id = p.id
cross join lateral (
    select (p.status in ('failed', 'cancelled', 'returned'))::integer as to_give_back,
        (
            select coalesce(sum(l.amount), 0) from payout_lines(:tenant_id, p.id) l
        ) as lines
) n
