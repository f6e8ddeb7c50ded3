-- Decides sales, posts what follows to the ledger, and returns for each item of the call what became of it.
-- The employees' accounts are locked by now, so that nobody else decides, advances or pays the same sales.
with items as (
    -- one row per item of the call, in its order
    select i.sale_id, i.status, i.reason, i.correction, i.place,
        row_number() over (partition by i.sale_id order by i.place) as occurrence,
        first_value(i.status) over (partition by i.sale_id order by i.place) as first_status,
        first_value(i.correction) over (partition by i.sale_id order by i.place) as first_correction
    from unnest(
        cast(:sale_ids as uuid[]), cast(:statuses as text[]), cast(:reasons as text[]), cast(:corrections as boolean[])
    ) with ordinality i (sale_id, status, reason, correction, place)
), current as (
    -- ... with the sale and its latest decision; most are pending, and have none
    select i.*, coalesce(p.user_id, d.user_id) as user_id, coalesce(p.earning, d.earning) as earning,
        coalesce(p.currency, d.currency) as currency, d.status as before, coalesce(d.revision, 0::smallint) as revision
    from items i
    left join lateral (
        select p.user_id, s.earning, s.currency from pending_sales p
        cross join lateral (
            select earning, currency from sales s
            where s.tenant_id = :tenant_id and s.user_id = p.user_id and s.id = p.sale_id offset 0
        ) s
        where p.tenant_id = :tenant_id and p.sale_id = i.sale_id offset 0
    ) p on true
    left join lateral (
        select s.user_id, s.earning, s.currency, d.status, d.revision from sales s
        cross join lateral (
            select status, revision from sale_decisions d where d.tenant_id = :tenant_id and d.sale_id = s.id
            order by d.revision desc limit 1
        ) d
        where p.user_id is null and s.tenant_id = :tenant_id and s.id = i.sale_id offset 0
    ) d on true
), judged as materialized (
    select *, case
        when user_id is null then 'not_found'
        when user_id = any(cast(:own_ids as uuid[])) then 'forbidden'
        -- a sale that is twice in one call: the first counts, the second comes after it
        when occurrence > 1 and status <> first_status then 'conflict'
        when occurrence > 1 and (before is null or before = status or first_correction) then 'unchanged'
        when occurrence > 1 then 'conflict'
        when before = status then 'unchanged'
        when before is null or correction then 'ok'
        else 'conflict' end as result
    from current
), decided as (
    insert into sale_decisions (tenant_id, sale_id, revision, status, reason, decided_by, decided_by_ids, decided_at)
    select :tenant_id, sale_id, revision + 1, status, reason, :actor, cast(:actor_ids as uuid[]), :now
    from judged where result = 'ok'
), no_longer_pending as (
    delete from pending_sales p
    where p.tenant_id = :tenant_id
      and p.sale_id = any(array(select sale_id from judged where result = 'ok' and before is null))
), reversed as (
    -- what the decision before had posted, the other way round
    select j.user_id, j.sale_id, 'reverse' as event, e.revision, e.line, e.credit as debit, e.debit as credit,
        e.currency, e.amount
    from judged j
    cross join lateral (
        select * from ledger_entries e
        where e.tenant_id = :tenant_id and e.subject_id = j.sale_id and e.event in ('approve', 'decline')
          and e.revision = j.revision offset 0
    ) e
    where j.result = 'ok' and j.before is not null
), settled as materialized (
    -- ... with what was paid for it in advance
    select j.user_id, j.sale_id, j.status, (j.revision + 1)::smallint as revision, j.currency, j.earning,
        coalesce(advance.amount, 0) as advance
    from judged j
    left join lateral (
        select amount from ledger_entries e
        where e.tenant_id = :tenant_id and e.subject_id = j.sale_id and e.event = 'advance' and e.revision = 1
          and e.line = 1 offset 0
    ) advance on true
    where j.result = 'ok'
), posted as (
    -- what the decision means: the earning is owed, less its advance; or the advance is owed back
    select user_id, sale_id, 'approve' as event, revision, 1::smallint as line, 'sales_cost' as debit,
        'advances' as credit, currency, advance as amount
    from settled where status = 'approved' and advance > 0
    union all
    select user_id, sale_id, 'approve', revision, 2::smallint, 'sales_cost', 'payable', currency, earning - advance
    from settled where status = 'approved' and earning > advance
    union all
    select user_id, sale_id, 'decline', revision, 1::smallint, 'payable', 'advances', currency, advance
    from settled where status = 'declined' and advance > 0
), lines as (
    insert into ledger_entries
        (tenant_id, user_id, subject_id, event, revision, line, debit, credit, currency, amount, booked_at)
    select :tenant_id, user_id, sale_id, event, revision, line, debit, credit, currency, amount, :now
    from (select * from reversed union all select * from posted)
)
select result, before, occurrence > 1 as is_repeat from judged order by place
