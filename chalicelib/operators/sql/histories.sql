-- One row per payout: its events begin with its creation, follow the state graph, and end where it is now.
with
steps as (
    -- one row: an event beside the one before it
    select payout_id, number, what, status, fence,
        lag(status) over by_number as before, lag(fence) over by_number as fence_before,
        lead(number) over by_number is null as is_last
    from payout_events where tenant_id = :tenant_id
    window by_number as (partition by payout_id order by number)
),
histories as (
    -- one row per payout: a step that the state graph does not allow, and where its history ends
    select s.payout_id, max(s.status) filter (where s.is_last) as status,
        max(s.fence) filter (where s.is_last) as fence,
        min(format('%s after %s', s.status, coalesce(s.before, 'nothing'))) filter (where case
            when s.before is null then s.what <> 'made' or s.status not in ('held', 'queued')
            when s.fence < s.fence_before then true
            else s.status <> s.before and m.from_status is null end) as wrong
    from steps s
    left join payout_moves m on m.from_status = s.before and m.to_status = s.status
    group by s.payout_id
)
select case
        when h.payout_id is null then format('payout %s: it has no history', p.id)
        when h.wrong is not null then format('payout %s: it cannot have become %s', p.id, h.wrong)
        when (h.status, h.fence) <> (p.status, p.fence)
            then format('payout %s: it is %s after %s claims, its history ends with %s after %s',
                p.id, p.status, p.fence, h.status, h.fence)
    end as problem
from (select id, status, fence from payouts where tenant_id = :tenant_id) p
full join histories h on h.payout_id = p.id
