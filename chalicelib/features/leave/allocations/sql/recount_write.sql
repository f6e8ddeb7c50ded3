-- Marks halves of leave requests as they count now: counted halves have the nature of their leave type, and those that
-- nothing was left for are without pay. One row: a request whose halves were marked, with its days before and after.
with
marked as (
    update leave_days l
    set is_counted = h.is_counted,
        nature = case when h.is_unpaid or not t.is_paid then 'lop' when h.is_counted then 'paid' else l.nature end
    from unnest(cast(:request_ids as uuid[]), cast(:days as date[]), cast(:halves as text[]),
                cast(:counted as boolean[]), cast(:unpaid as boolean[]))
            h (request_id, day, half, is_counted, is_unpaid),
        leave_types t
    where l.tenant_id = :tenant_id and l.request_id = h.request_id and l.day = h.day and l.half = h.half
      and t.tenant_id = :tenant_id and t.id = l.leave_type_id
    returning l.request_id,
        new.is_counted::integer - old.is_counted::integer as change,
        (h.is_unpaid and old.nature <> 'lop')::integer as unpaid
),
changed as (
    select request_id, 0.5 * sum(change) as days, 0.5 * sum(unpaid) as unpaid_days from marked group by request_id
)
update leave_requests r
set days = r.days + c.days, version = r.version + 1
from changed c, leave_types t
where r.tenant_id = :tenant_id and r.id = c.request_id and t.tenant_id = :tenant_id and t.id = r.leave_type_id
  and (c.days <> 0 or c.unpaid_days <> 0)
returning r.id, r.user_id, t.name as leave_type, r.start_on, r.end_on, new.days, old.days as days_before, r.version,
    c.unpaid_days
