-- Adds adjustments, each source once: where it has one already, nothing is added. Returns those that were added.
with requested as (
    select * from jsonb_to_recordset(cast(:adjustments as jsonb)) as a (
        user_id uuid, kind text, amount numeric, currency text, reason text, effective_on date, explanation jsonb,
        source_type text, source_id text)
)
insert into payroll_adjustments (tenant_id, user_id, kind, amount, currency, reason, effective_on, explanation,
    source_type, source_id, created_by, created_by_ids, created_at)
select :tenant_id, user_id, kind, amount, currency, reason, effective_on, explanation, source_type, source_id,
    :created_by, cast(:created_by_ids as uuid[]), :now
from requested
on conflict (tenant_id, source_type, source_id) do nothing
returning id, user_id, kind, amount, currency, reason, effective_on, explanation, source_type, source_id
