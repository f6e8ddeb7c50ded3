-- One row per payout that is open, or that a person settled against the provider's answer: it has waited too long.
-- One row per payroll run that is approved and not booked as a whole: its messages may be lost.
-- Warnings, the books are right: a person has to act, or to find out why nothing happens.
with
switched as (
    select coalesce((policy ->> 'payouts_enabled')::boolean, true) and :payouts_enabled as are_on
    from tenants where id = :tenant_id
)
select case
        when p.status = 'review'
            then format('%s: in review since %s: %s', n.payout, n.since, p.problem)
        -- asked about at least every 24 hours, and given to a person at the first look after 72
        when p.status = 'unknown' and p.unknown_since < cast(:now as timestamptz) - interval '97 hours'
            then format('%s: unknown since %s, and was not given to a person', n.payout, n.since)
        when p.status = 'queued' and p.provider = any(cast(:called_providers as text[])) and switched.are_on
          and s.at < cast(:now as timestamptz) - interval '1 hour'
            then format('%s: queued since %s, and nobody sends it', n.payout, n.since)
        when p.status = 'queued' and p.provider = any(cast(:manual_providers as text[]))
          and s.at < cast(:now as timestamptz) - interval '7 days'
            then format('%s: to be handed over since %s, and nobody confirmed it', n.payout, n.since)
        when p.status = 'queued' and p.provider = any(cast(:file_providers as text[]))
          and s.at < cast(:now as timestamptz) - interval '7 days'
            then format('%s: queued since %s, and in no bank file', n.payout, n.since)
        when p.status = 'sending' and p.batch_id is null and s.at < cast(:now as timestamptz) - interval '1 day'
            then format('%s: sending since %s, and nobody knows what became of it', n.payout, n.since)
        when p.status = 'sending' and s.at < cast(:now as timestamptz) - interval '7 days'
            then format('%s: in a bank file since %s, and no answer of the bank was put in', n.payout, n.since)
        when p.status = 'held' and s.at < cast(:now as timestamptz) - interval '7 days'
            then format('%s: waits for approval since %s', n.payout, n.since)
        when p.status = 'paid' and m.came_back and p.look_at is null
            then format('%s: paid, and the provider says that it came back', n.payout)
        when p.status = 'paid' and s.is_resolved and p.provider = :listing_provider
          and (m.amount, m.currency) is distinct from (p.amount, p.currency)
            then format('%s: somebody said that it was paid, the provider says %s', n.payout,
                coalesce(m.amount || ' ' || m.currency, 'nothing'))
    end as problem
from payouts p
cross join switched
cross join lateral (
    -- since when it is what it is
    select max(at) filter (where before is distinct from status) as at, bool_or(what = 'resolved') as is_resolved
    from (
        select at, what, status, lag(status) over (order by number) as before
        from payout_events e where e.tenant_id = :tenant_id and e.payout_id = p.id
    ) steps
) s
cross join lateral (
    select sum(amount) as amount, min(currency) as currency, bool_and(status = 'returned') as came_back
    from simulated_movements m
    where m.tenant_id = :tenant_id and m.reference = p.reference and m.status <> 'refused'
) m
cross join lateral (
    select format('payout %s of %s %s to %s', p.id, p.amount, p.currency, p.user_id) as payout,
        to_char(case p.status when 'unknown' then p.unknown_since else s.at end at time zone 'UTC',
            'YYYY-MM-DD HH24:MI"Z"') as since
) n
where p.tenant_id = :tenant_id
  and (p.status in ('held', 'queued', 'sending', 'unknown', 'review')
    or p.status = 'paid' and (s.is_resolved or m.came_back))
union all
select case when r.approved_at < clock_timestamp() - interval '1 hour'
        then format('payroll run %s of %s: approved since %s, and not all of it is in the ledger: job %s', r.id, r.month,
            to_char(r.approved_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI"Z"'), r.job_id)
    end
from payroll_runs r
where r.tenant_id = :tenant_id and r.status = 'approved' and r.posted_at is null
