"""The KPI score that enters pay is summed from exact scores; those rounded to two places are for people to read."""

from migrations.helpers import run

revision = "2026_12_01_1032"
down_revision = "2026_12_01_1031"


def upgrade() -> None:
    run("""
        -- What a person's KPIs of the day come to, for pay formulas: the sum of value / target x weight, overrides
        -- counted, of the cycles that hold the day; null where none has one. Each quotient has more than forty places,
        -- and the sum is rounded once, to the ten places that a quotient has in formulas. A single query, which
        -- PostgreSQL can put in the place of the call.
        create or replace function kpi_score_of(of_tenant uuid, of_user uuid, on_day date) returns numeric
        language sql stable parallel safe as $$
            select round(sum(
                s.weight * coalesce(s.override_value, s.value) * 1.0000000000000000000000000000000000000000
                / nullif(s.target, 0)), 10)
            from kpi_assignments a
            join kpi_scores s on s.tenant_id = of_tenant and s.assignment_id = a.id
            where a.tenant_id = of_tenant and a.user_id = of_user
              and a.cycle_start_on <= on_day and a.cycle_end_on >= on_day
        $$;
    """)
