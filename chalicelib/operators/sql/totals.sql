-- One row per register row: its totals are those of its codes and packed days (a packed day is 10000 * day + value).
select case when n.wrong is not null
        then format('%s %s: recounted, these differ: %s', r.month, r.user_id, n.wrong)
    end as problem
from pay_registers r
cross join lateral (
    select string_agg(name, ', ' order by name) as wrong
    from (values
        ('present_days', r.present_days, regexp_count(r.halves, '[PO]') * 0.5),
        ('od_days', r.od_days, regexp_count(r.halves, 'O') * 0.5),
        ('absent_days', r.absent_days, regexp_count(r.halves, 'A') * 0.5),
        ('paid_leave_days', r.paid_leave_days, regexp_count(r.halves, 'L') * 0.5),
        ('lop_days', r.lop_days, regexp_count(r.halves, 'U') * 0.5),
        ('holidays', r.holidays, regexp_count(r.halves, 'H') * 0.5),
        ('week_offs', r.week_offs, regexp_count(r.halves, 'W') * 0.5),
        ('blank_days', r.blank_days, regexp_count(r.halves, '-') * 0.5),
        ('late_count', r.late_count, coalesce(cardinality(r.day_late), 0)),
        ('late_minutes', r.late_minutes, (select coalesce(sum(d % 10000), 0) from unnest(r.day_late) d)),
        ('early_out_count', r.early_out_count, coalesce(cardinality(r.day_early_out), 0)),
        ('early_out_minutes', r.early_out_minutes, (select coalesce(sum(d % 10000), 0) from unnest(r.day_early_out) d)),
        ('ot_hours', r.ot_hours, (select coalesce(sum(d % 10000), 0) / 100.0 from unnest(r.day_ot) d)),
        ('extra_days', r.extra_days, (select coalesce(sum(d % 10000), 0) / 100.0 from unnest(r.day_extra) d)),
        -- with one shift only; days on other shifts are left to the projection
        ('payable_shifts', r.payable_shifts, case when r.day_units is null
            then r.units * r.present_days + r.paid_leave_days + r.extra_days else r.payable_shifts end)
    ) as v (name, stored, recounted)
    where stored is distinct from recounted
) n
where r.tenant_id = :tenant_id
