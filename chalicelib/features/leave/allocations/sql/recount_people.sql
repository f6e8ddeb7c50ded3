-- The people whose leave may have to be recounted on some days, of those given or of everybody (null): they have leave
-- of a request, leave set by hand, or days taken for it.
select user_id from leave_days
where tenant_id = :tenant_id and day between :first and :last
  and (cast(:user_ids as uuid[]) is null or user_id = any(:user_ids))
union
select user_id from day_edits
where tenant_id = :tenant_id and day between :first and :last and superseded_at is null
  and (first_leave_type_id is not null or second_leave_type_id is not null)
  and (cast(:user_ids as uuid[]) is null or user_id = any(:user_ids))
union
select a.user_id
from leave_allocations a
join leave_entries e on e.tenant_id = :tenant_id and e.allocation_id = a.id
where a.tenant_id = :tenant_id and a.user_id = any(:user_ids)
  and e.concerns_on between :first and :last and e.bucket = 'used' and e.request_id is null
