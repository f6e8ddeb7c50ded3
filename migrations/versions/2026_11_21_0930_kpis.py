"""KPIs: what is measured, for whom and how long, and what came out."""

from migrations.helpers import protect, run

revision = "2026_11_21_0930"
down_revision = "2026_11_21_0920"


def upgrade() -> None:
    run("""
        create table kpi_definitions (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            code text not null check (code ~ '^[a-z][a-z0-9_]*$' and length(code) <= 60),
            name text not null,
            description text,
            metric_type text not null check (metric_type in ('numeric', 'boolean', 'rating', 'text')),
            target numeric,
            unit text,
            weight numeric check (weight between 0 and 100),
            scale_from numeric,
            scale_to numeric,
            source text not null check (source in ('formula', 'manual_entry', 'system_metric')),
            metric text,
            formula text,
            is_active boolean not null default true,
            version integer not null default 1,
            created_by text not null,
            created_at timestamptz not null,
            primary key (tenant_id, id),
            unique (tenant_id, code),
            unique (tenant_id, name),
            check ((source = 'system_metric') = (metric is not null)),
            check ((source = 'formula') = (formula is not null)),
            check (source = 'manual_entry' or metric_type = 'numeric'
                or (source = 'formula' and metric_type = 'boolean')),
            check ((metric_type = 'rating') = (scale_from is not null and scale_to is not null)),
            check (scale_from < scale_to),
            check (metric_type <> 'text' or target is null)
        );
        comment on column kpi_definitions.code is 'names it in appraisal forms: a field of this name enters its value';
        comment on column kpi_definitions.weight is 'null: it has an achievement, and no weighted score';

        create table kpi_assignments (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            definition_id uuid not null,
            user_id uuid not null,
            cycle_start_on date not null,
            cycle_end_on date not null check (cycle_end_on - cycle_start_on between 0 and 365),
            target numeric,
            weight numeric check (weight between 0 and 100),
            due_on date check (due_on >= cycle_start_on),
            notes text,
            assigned_by text not null,
            assigned_at timestamptz not null,
            primary key (tenant_id, id),
            unique (tenant_id, user_id, definition_id, cycle_start_on),
            foreign key (tenant_id, definition_id) references kpi_definitions,
            foreign key (tenant_id, user_id) references users
        );
        comment on column kpi_assignments.target is 'instead of the definition''s; so is weight';
        comment on column kpi_assignments.due_on is 'until when to enter a value by hand; null: the cycle''s end';
        create index kpi_assignments_by_cycle on kpi_assignments (tenant_id, cycle_end_on, user_id);

        -- times x value / target to two places, half away from zero: rounded once, from whole numbers. Without a value,
        -- or a target other than zero, there is none.
        create function kpi_share(value numeric, target numeric, times numeric) returns numeric
        language sql immutable parallel safe as $$
            select case when target <> 0 then
                sign(value) * sign(target) * div(200 * abs(value) * times + abs(target), 2 * abs(target)) * 0.01 end
        $$;

        create table kpi_scores (
            tenant_id uuid not null,
            assignment_id uuid not null,
            value numeric,
            text_value text,
            target numeric,
            weight numeric,
            explanation jsonb not null default '{}',
            as_of date,
            calculated_at timestamptz,
            entered_by text,
            entered_at timestamptz,
            note text,
            submission_id uuid,
            override_value numeric,
            override_reason text,
            overridden_by text,
            overridden_at timestamptz,
            achievement numeric generated always as (kpi_share(coalesce(override_value, value), target, 100)) stored,
            weighted numeric generated always as (kpi_share(coalesce(override_value, value), target, weight)) stored,
            primary key (tenant_id, assignment_id),
            foreign key (tenant_id, assignment_id) references kpi_assignments,
            foreign key (tenant_id, submission_id) references form_submissions,
            check (value is null or text_value is null),
            check ((override_value is null) = (overridden_at is null)),
            check ((override_value is null) = (override_reason is null))
        );
        comment on column kpi_scores.value is 'as calculated or entered, never the override; null: there is none yet';
        comment on column kpi_scores.target is 'what it was scored against, when it was calculated; so is weight';
        comment on column kpi_scores.as_of is 'last day that counts, within the cycle; null: nothing was calculated';

        -- What a person's KPIs of the day come to, for pay formulas: the sum of the weighted scores, overrides counted,
        -- of the cycles that hold the day; null where none has one. A single query, which PostgreSQL can put in the
        -- place of the call.
        create function kpi_score_of(of_tenant uuid, of_user uuid, on_day date) returns numeric
        language sql stable parallel safe as $$
            select sum(s.weighted)
            from kpi_assignments a
            join kpi_scores s on s.tenant_id = of_tenant and s.assignment_id = a.id
            where a.tenant_id = of_tenant and a.user_id = of_user
              and a.cycle_start_on <= on_day and a.cycle_end_on >= on_day
        $$;
    """)
    protect("kpi_definitions", grants="select, insert, update")
    protect("kpi_assignments", grants="select, insert, delete")
    protect("kpi_scores")
