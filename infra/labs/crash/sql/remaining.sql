-- What is left to do for a tenant, counted, and when its next payout is due.
select (select count(*) from payouts
     where tenant_id = %(id)s and status in ('held', 'queued', 'sending', 'unknown', 'review')) as open,
    (select count(*) from payouts where tenant_id = %(id)s and status = 'review') as review,
    (select min(look_at) from payouts
     where tenant_id = %(id)s
       and (status in ('held', 'queued', 'sending', 'unknown', 'review') or %(waits_for_returns)s)) as look_at,
    (select count(*) from ledger_accounts where tenant_id = %(id)s and kind = 'payable' and balance < 0
     and (-balance >= %(minimum)s or currency <> %(currency)s)) as owed,
    (select count(*) from outbox where tenant_id = %(id)s and sent_at is null) as unsent,
    (select count(*) from pending_sales p join sales s on s.tenant_id = p.tenant_id and s.id = p.sale_id
     join currencies c on c.code = s.currency
     where p.tenant_id = %(id)s and trunc(s.earning * %(rate)s, c.minor_units) > 0
       and not exists (select from ledger_entries e where e.tenant_id = p.tenant_id and e.subject_id = p.sale_id
                       and e.event = 'advance')) as eligible
