-- What a run comes to: one row per currency, as JSON, with the run before beside it.
with slips as (
    select * from payslips where tenant_id = :tenant_id and run_id = :run_id
),
earlier as (
    select * from payslips where tenant_id = :tenant_id and run_id = :previous_run_id
),
totals as (
    select currency, count(*) as payslips, sum(gross) as gross, sum(deductions) as deductions, sum(taxes) as taxes,
        sum(benefits) as benefits, sum(net) as net, sum(greatest(net, 0 * net)) as pays,
        sum(greatest(-net, 0 * net)) as carried,
        -- for each component of the plan: for how many people, and how much; written out, as it is read once
        array[{people}]::bigint[] as people, array[{amounts}]::numeric[] as amounts
    from slips group by currency
),
before as (
    select currency, count(*) as payslips, sum(gross) as gross, sum(net) as net from earlier group by currency
)
select currency, json_build_object(
    'currency', currency, 'payslips', coalesce(t.payslips, 0), 'gross', coalesce(t.gross, 0)::text,
    'deductions', coalesce(t.deductions, 0)::text, 'taxes', coalesce(t.taxes, 0)::text,
    'benefits', coalesce(t.benefits, 0)::text, 'net', coalesce(t.net, 0)::text, 'pays', coalesce(t.pays, 0)::text,
    'carried', coalesce(t.carried, 0)::text,
    'previous', case when b.payslips is not null then json_build_object(
        'payslips', b.payslips, 'gross', b.gross::text, 'net', b.net::text) end,
    'difference', case when b.payslips is not null then (coalesce(t.net, 0) - b.net)::text end,
    'components', coalesce((
        select json_agg(json_build_object(
            'place', place, 'people', of_each.people, 'amount', amount::text) order by place)
        from unnest(t.people, t.amounts) with ordinality as of_each (people, amount, place)
        where of_each.people > 0), '[]')) as said
from totals t full join before b using (currency)
order by currency
