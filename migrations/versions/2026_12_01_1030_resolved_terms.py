"""The terms of payroll runs are resolved: each policy switch that prices has its value, also where it was a default."""

from migrations.helpers import as_owner_of_rows, run

revision = "2026_12_01_1030"
down_revision = "2026_12_01_1021"


def upgrade() -> None:
    with as_owner_of_rows("payroll_runs"):
        run("""
            -- Until now a run kept only what differed from the defaults. These are the defaults of all releases so far,
            -- written out, so that no later change of the code reaches them. Switches that do not price are left out.
            update payroll_runs set plan = jsonb_set(plan, '{terms,policy}', (
                '{
                    "missing_attendance": "absent",
                    "full_day_minutes": 540,
                    "half_day_minutes": null,
                    "proration_basis": "working_days",
                    "daily_paid_holidays": false,
                    "weekly_rule": "any_day"
                }'::jsonb || coalesce(plan -> 'terms' -> 'policy', '{}')) - array[
                    'advance_rate', 'minimum_payout', 'payouts_enabled', 'payout_schedule', 'payout_approval_above',
                    'payout_provider', 'payroll_change_limit'])
            where plan ? 'terms';
        """)
