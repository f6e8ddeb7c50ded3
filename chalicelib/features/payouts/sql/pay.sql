-- One payout for each of some people, and each currency, who is owed at least the minimum: the money leaves
-- payable in the same statement, so that no debt is paid by two. The people's accounts are held by now.
with owed as materialized (
    select uuidv7() as id, uuidv7() as message_id, a.user_id, a.currency, -a.balance as amount,
        d.id as destination_id, latest.number as through_number,
        case when alike.count = 0 then content.key
            else left(content.key, 28) || 'r' || lpad(alike.count::text, 3, '0') end as reference,
        coalesce(previous.number, 0) as after_number,
        coalesce(-a.balance > cast(:approval_above as numeric) and a.currency = :currency, false) as is_held
    from ledger_accounts a
    left join lateral (
        select d.id, d.kind from payout_destinations d
        where d.tenant_id = :tenant_id and d.user_id = a.owner_id and d.superseded_at is null offset 0
    ) d on true
    cross join lateral (
        -- the last line that this pays; its natural key is the same after a restore
        select e.number, concat_ws('/', e.subject_id, e.event, e.revision, e.line) as key from ledger_entries e
        where e.tenant_id = :tenant_id and e.user_id = a.owner_id and e.currency = a.currency
          and 'payable' in (e.debit, e.credit)
        order by e.number desc limit 1
    ) latest
    left join lateral (
        -- the payout before took all there was, so this one pays what was booked since; one that was adopted from
        -- the provider's list took what it said, and is netted among the lines
        select e.number from ledger_entries e
        where e.tenant_id = :tenant_id and e.user_id = a.owner_id and e.currency = a.currency and e.event = 'payout'
          and (select p.kind from payouts p where p.tenant_id = :tenant_id and p.id = e.subject_id) <> 'matched'
        order by e.number desc limit 1
    ) previous on true
    cross join lateral (
        -- told to the provider as idempotency key: made of what is paid, so that it is the same after a restore
        select left(encode(sha256(convert_to(
            concat_ws('|', cast(:tenant_id as uuid), a.user_id, a.currency, -a.balance, latest.key), 'UTF8')
        ), 'hex'), 32) as key offset 0
    ) content
    cross join lateral (
        -- one that was adopted from the provider's list, and came back, may have been made of the same
        select count(*) from payouts p
        where p.tenant_id = :tenant_id
          and p.reference >= left(content.key, 28) and p.reference < left(content.key, 28) || 'z' offset 0
    ) alike
    where a.tenant_id = :tenant_id and a.kind = 'payable'
      and a.owner_id = any(cast(:user_ids as uuid[]))
      and a.balance < 0
      and (-a.balance >= :minimum or a.currency <> :currency)
      -- a bank cannot pay to a simulated destination, nor to none
      and (d.kind <> 'simulated' or not :needs_destination)
    order by a.owner_id, a.currency
), made as (
    insert into payouts (
        tenant_id, id, user_id, currency, amount, after_number, through_number, kind, job_id, provider,
        destination_id, reference, status, look_at, prepared_by, prepared_by_ids, created_at)
    select :tenant_id, id, user_id, currency, amount, after_number, through_number, :kind, cast(:job_id as uuid),
        :provider, destination_id, reference,
        case when is_held then 'held' else 'queued' end,
        case when not is_held and not :takes_batches then clock_timestamp() + :nudge end,
        :actor, cast(:actor_ids as uuid[]), :now
    from owed
), told as (
    insert into payout_events (tenant_id, payout_id, what, status, fence, actor)
    select :tenant_id, id, 'made', case when is_held then 'held' else 'queued' end, 0, :actor from owed
), booked as (
    insert into ledger_entries
        (tenant_id, user_id, subject_id, event, debit, credit, currency, amount, booked_at)
    select :tenant_id, user_id, id, 'payout', 'payable', 'cash', currency, amount, :now from owed
), sent as (
    insert into outbox (tenant_id, id, queue, body)
    select :tenant_id, message_id, :queue, jsonb_build_object('payout_id', id) from owed
    where not is_held and not :takes_batches
)
select id, currency, amount, is_held, message_id from owed order by id
