-- One row per audit row, and one for the chain's head: numbered without gaps, each hash covering the one before it.
-- Where a person was erased from a row, the audit row of the erasure, in the same chain, records the hash of what remains.
with
-- one row: an audit row beside the number and the hash of the row before it
linked as (
    select a.seq, a.hash, a.erased_by, encode(audit_hash(a.hash, a), 'hex') as remains,
        (select e.after -> 'remains' ->> a.seq::text from audit_logs e
         where e.tenant_id = a.tenant_id and e.seq = a.erased_by and e.action = 'person.erased') as remains_recorded,
        lag(a.seq, 1, 0::bigint) over by_seq as seq_before,
        audit_hash(lag(a.hash, 1, '\x'::bytea) over by_seq, a) as hash_computed
    from audit_logs a
    where a.tenant_id = :tenant_id
    window by_seq as (order by a.seq)
),
-- one row: the last row, and the last row according to the head; an empty chain ends at 0
ends as (
    select
        coalesce((select max(seq) from linked), 0) as last_seq,
        coalesce((select hash from linked order by seq desc limit 1), '\x') as last_hash,
        coalesce((select seq from audit_heads where tenant_id = :tenant_id), 0) as head_seq,
        coalesce((select hash from audit_heads where tenant_id = :tenant_id), '\x') as head_hash
)
select case
        when seq <> seq_before + 1
            then format('seq %s to %s: missing', seq_before + 1, seq - 1)
        when erased_by is null and hash <> hash_computed
            then format('seq %s: changed, or the row before it was', seq)
        when erased_by is not null and remains is distinct from remains_recorded
            then format('seq %s: changed, or not by the erasure that it names', seq)
    end as problem
from linked
union all
select case
        when last_seq <> head_seq then format('seq %s: the head says that the last row is %s', last_seq, head_seq)
        when last_hash <> head_hash then format('seq %s: the head has another hash than the last row', last_seq)
    end
from ends
