-- One row per advance: its sale exists, has no other advance, and the advance is at most the highest rate that the tenant
-- ever had, of the sale's earning. Former rates are stored nowhere but in the audit of the settings.
with
-- one row: the highest rate that was ever in force; 10 % where none was set
highest as (
    select max(coalesce((policy ->> 'advance_rate')::numeric, 0.10)) as rate from (
        select policy from tenants where id = :tenant_id
        union all
        select version.policy from audit_logs a
        cross join lateral (values (a.before -> 'policy'), (a.after -> 'policy')) version (policy)
        where a.tenant_id = :tenant_id and a.action = 'tenant.changed' and version.policy is not null
    ) policies
),
advances as (
    select *, count(*) over (partition by subject_id) as times
    from ledger_entries where tenant_id = :tenant_id and event = 'advance'
)
select case
        when s.id is null
            then format('advance of %s %s to %s: there is no sale %s', a.amount, a.currency, a.user_id, a.subject_id)
        when a.times > 1
            then format('sale %s: advanced %s times, here %s %s', s.id, a.times, a.amount, a.currency)
        when (a.user_id, a.currency, a.debit, a.credit) <> (s.user_id, s.currency, 'advances', 'payable')
            then format('sale %s: its advance is %s %s from %s to %s for %s, the sale is in %s of %s',
                s.id, a.amount, a.currency, a.credit, a.debit, a.user_id, s.currency, s.user_id)
        when a.amount > s.earning * highest.rate
            then format('sale %s: advance %s of %s %s, at most %s %% was ever agreed',
                s.id, a.amount, s.earning, s.currency, trim_scale(highest.rate * 100))
    end as problem
from advances a
cross join highest
left join sales s on s.tenant_id = :tenant_id and s.id = a.subject_id
