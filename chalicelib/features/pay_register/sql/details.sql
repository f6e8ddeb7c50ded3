-- What a row `r` has to say about single days, as JSON: kind of detail, then date, then value. Most rows have little or
-- none. A fragment of grid.sql, which a test reads rows by, too.
case when r is null then '{}' else jsonb_strip_nulls(jsonb_build_object(
    'late_minutes', case when (r).day_late is not null then unpacked((r).day_late, :start_on, 1) end,
    'early_out_minutes', case when (r).day_early_out is not null then unpacked((r).day_early_out, :start_on, 1) end,
    'ot_hours', case when (r).day_ot is not null then unpacked((r).day_ot, :start_on, 100) end,
    'extra_days', case when (r).day_extra is not null then unpacked((r).day_extra, :start_on, 100) end,
    'payable_units', case when (r).day_units is not null then unpacked((r).day_units, :start_on, 100) end,
    'leave_halves', (r).leave_halves, 'remarks', (r).day_remarks)) end
