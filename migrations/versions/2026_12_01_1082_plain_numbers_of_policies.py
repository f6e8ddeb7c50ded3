"""Amounts and rates in policies are spelled as they are read now: 1E+5 was taken once, and is no amount any more."""

from migrations.helpers import run

revision = "2026_12_01_1082"
down_revision = "2026_12_01_1081"


def upgrade() -> None:
    run(r"""
        create function pg_temp.plain_numbers(policy jsonb) returns jsonb language sql as $$
            select coalesce(jsonb_object_agg(key, case
                when jsonb_typeof(value) = 'string' and value #>> '{}' ~ '^-?[0-9.]+[eE][+-]?[0-9]+$'
                    then to_jsonb((value #>> '{}')::numeric::text)
                else value end), '{}')
            from jsonb_each(policy)
        $$;

        alter table tenants no force row level security;
        update tenants set policy = pg_temp.plain_numbers(policy) where policy::text ~ '"-?[0-9.]+[eE][+-]?[0-9]+"';
        alter table tenants force row level security;

        -- the terms of runs hold the policy of their day
        alter table payroll_runs no force row level security;
        update payroll_runs
            set plan = jsonb_set(plan, '{terms,policy}', pg_temp.plain_numbers(plan #> '{terms,policy}'))
            where (plan #> '{terms,policy}')::text ~ '"-?[0-9.]+[eE][+-]?[0-9]+"';
        alter table payroll_runs force row level security;
    """)
