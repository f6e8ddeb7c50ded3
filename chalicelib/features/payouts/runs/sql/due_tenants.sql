-- The tenants that are active, with money to pay or, for a run of advances, with sales to advance.
select t.id from tenants t
where t.status = 'active' and (
    exists (select from ledger_accounts a where a.tenant_id = t.id and a.kind = 'payable' and a.balance < 0)
    or :with_sales and exists (select from pending_sales p where p.tenant_id = t.id))
order by t.id
