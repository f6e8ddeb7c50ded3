-- What the bank said last of each payout, by the bank's own time: an older report that comes late does not replace it.
-- `kept` is what stays whatever is said later: that it was accepted, what was found out about the name, the debit.
update payouts p set bank =
    case when p.bank is null or p.bank ->> 'at' <= word.said ->> 'at' then coalesce(p.bank, '{}') || word.said
        else p.bank end || word.kept
from jsonb_to_recordset(cast(:words as jsonb)) as word (id uuid, said jsonb, kept jsonb)
where p.tenant_id = :tenant_id and p.id = word.id
