-- Says whom of some people to warn that days expire. It only reads: what follows it selects from `missing`, or writes it.
with due as (
    -- one row per allocation that days are left of, and step of its rule's ladder that has come
    select a.id as allocation_id, a.user_id, a.leave_type_id, t.name as leave_type, a.remaining_days as days, a.expires_on,
        a.expires_on - cast(:as_of as date) as days_left, r.action, s.step,
        s.step = min(s.step) over (partition by a.id) as is_nearest
    from leave_allocations a
    join leave_types t on t.tenant_id = :tenant_id and t.id = a.leave_type_id
    join leave_expiry_rules r on r.tenant_id = :tenant_id and r.id = t.expiry_rule_id and r.is_active
    cross join lateral unnest(r.notification_days) s (step)
    where a.tenant_id = :tenant_id and a.user_id {employees} and a.expired_at is null and a.remaining_days > 0
      and a.expires_on between cast(:as_of as date) and cast(:as_of as date) + :widest
      and s.step >= a.expires_on - cast(:as_of as date)
),
missing as (
    -- one row per step that is not over: the nearest is to be told, the wider ones have passed
    select d.* from due d
    where not exists (
        select from leave_warnings w
        where w.tenant_id = :tenant_id and w.allocation_id = d.allocation_id and w.step = d.step)
)
