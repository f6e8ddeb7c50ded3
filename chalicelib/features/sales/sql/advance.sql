-- Posts one ledger line for each pending sale of some employees that has no advance yet: a part of its earning, rounded
-- down. The caller has locked these employees' accounts: another transaction may be deciding the sales of others.
insert into ledger_entries
    (tenant_id, user_id, subject_id, event, revision, line, debit, credit, currency, amount, booked_at)
select s.tenant_id, s.user_id, s.id, 'advance', 1, 1, 'advances', 'payable', s.currency, s.amount, :now
from pending_sales p
cross join lateral (
    -- by the employee as well: the index that begins with the user id has all of this
    select s.tenant_id, s.user_id, s.id, s.currency,
        trunc(s.earning * :rate, cast(cast(:minor_units as jsonb) ->> s.currency as integer)) as amount
    from sales s where s.tenant_id = :tenant_id and s.user_id = p.user_id and s.id = p.sale_id offset 0
) s
where p.tenant_id = :tenant_id and p.user_id = any(cast(:user_ids as uuid[]))
  and s.amount > 0
  and not exists (
    select from ledger_entries e
    where e.tenant_id = :tenant_id and e.subject_id = p.sale_id and e.event = 'advance' and e.revision = 1
      and e.line = 1 offset 0)
