-- Keep the bank's latest status of each payout, by the bank's own time: an older report that comes late does not replace
-- it. `lasting` stays whatever comes later: that it was accepted, the check of the payee's name, the debit.
update payouts p set bank =
    case when p.bank is null or p.bank ->> 'at' <= reported.latest ->> 'at' then coalesce(p.bank, '{}') || reported.latest
        else p.bank end || reported.lasting
from jsonb_to_recordset(cast(:reported as jsonb)) as reported (id uuid, latest jsonb, lasting jsonb)
where p.tenant_id = :tenant_id and p.id = reported.id
