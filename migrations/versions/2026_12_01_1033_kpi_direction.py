"""A KPI says its direction: where lower is better, achievement is target / value, at most 200 %."""

from migrations.helpers import declare_personal_data, run

revision = "2026_12_01_1033"
down_revision = "2026_12_01_1032"


def upgrade() -> None:
    run("""
        alter table kpi_definitions
            add column direction text not null default 'higher_is_better'
                check (direction in ('higher_is_better', 'lower_is_better')),
            add check (direction = 'higher_is_better'
                or (metric_type in ('numeric', 'rating') and coalesce(target, 0) >= 0));
        comment on column kpi_definitions.direction is 'whether a value above or one below the target is better';
        alter table kpi_scores
            add column direction text not null default 'higher_is_better'
                check (direction in ('higher_is_better', 'lower_is_better'));
        comment on column kpi_scores.direction is 'as it was scored; likewise target and weight';

        -- Value / target as two numbers to be divided, or target / value where lower is better. Twice the target is the
        -- most there is: a value of half the target or less, also 0 or below, has that. Null: there is no achievement.
        create function kpi_ratio(value numeric, target numeric, direction text) returns numeric[]
        language sql immutable parallel safe as $$
            select case
                when value is null or target is null or target = 0 then null
                when direction = 'higher_is_better' then array[value, target]
                when target < 0 then null
                when 2 * value <= target then array[2, 1]
                else array[target, value] end
        $$;

        -- The same share of `times` as without a direction, to two places, half away from zero.
        create function kpi_share(value numeric, target numeric, times numeric, direction text) returns numeric
        language sql immutable parallel safe as $$
            select kpi_share((kpi_ratio(value, target, direction))[1], (kpi_ratio(value, target, direction))[2], times)
        $$;
        alter table kpi_scores
            alter column achievement set expression as
                (kpi_share(coalesce(override_value, value), target, 100, direction)),
            alter column weighted set expression as
                (kpi_share(coalesce(override_value, value), target, weight, direction));

        -- As before, and by direction.
        create or replace function kpi_score_of(of_tenant uuid, of_user uuid, on_day date) returns numeric
        language sql stable parallel safe as $$
            select round(sum(s.weight * r.ratio[1] * 1.0000000000000000000000000000000000000000 / r.ratio[2]), 10)
            from kpi_assignments a
            join kpi_scores s on s.tenant_id = of_tenant and s.assignment_id = a.id
            cross join lateral kpi_ratio(coalesce(s.override_value, s.value), s.target, s.direction) r (ratio)
            where a.tenant_id = of_tenant and a.user_id = of_user
              and a.cycle_start_on <= on_day and a.cycle_end_on >= on_day
        $$;
    """)
    declare_personal_data([], [("kpi_definitions", "direction", "none", ""), ("kpi_scores", "direction", "none", "")])
