-- Writes the payslips of a chunk of people: each column comes as one array, all of the same length.
insert into payslips (tenant_id, run_id, calculated_at, user_id, currency, inputs, amounts, gross, deductions, taxes,
    benefits, net, previous_net, given, warnings, anomalies)
select :tenant_id, :run_id, :calculated_at, s.user_id, s.currency, cast(s.inputs as numeric[]),
    cast(s.amounts as numeric[]), s.gross, s.deductions, s.taxes, s.benefits, s.net, s.previous_net,
    cast(s.given as jsonb), cast(s.warnings as jsonb), cast(s.anomalies as text[])
from unnest(
    cast(:user_ids as uuid[]), cast(:currencies as text[]), cast(:inputs as text[]), cast(:amounts as text[]),
    cast(:gross as numeric[]), cast(:deductions as numeric[]), cast(:taxes as numeric[]), cast(:benefits as numeric[]),
    cast(:net as numeric[]), cast(:previous_net as numeric[]), cast(:given as text[]), cast(:warnings as text[]),
    cast(:anomalies as text[])
) s (user_id, currency, inputs, amounts, gross, deductions, taxes, benefits, net, previous_net, given, warnings,
    anomalies)
