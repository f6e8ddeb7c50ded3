select tenant_id as id, 'bench-' || no as slug, 'Tenant ' || no as name, 'BDT' as currency, 'Asia/Dhaka' as timezone,
    weekend, 6::smallint as week_start, 1::smallint as cycle_start_day,
    case no % 8
        when 3 then '{"proration_basis": "calendar_days"}'
        when 5 then '{"missing_attendance": "present", "weekly_rule": "prorated"}'
        when 7 then '{"daily_paid_holidays": true}'
        else '{}'
    end::jsonb as policy
from bench.tenants
