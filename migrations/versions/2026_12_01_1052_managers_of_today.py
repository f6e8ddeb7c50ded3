"""Who manages comes from a current employment: teams, whom requests go to, and who has left."""

from migrations.helpers import run

revision = "2026_12_01_1052"
down_revision = "2026_12_01_1051"


def upgrade() -> None:
    # people_under stays: it says what the chart of managers is, whoever of them has left.
    run("""
        create function is_employed(of_tenant uuid, person uuid, today date) returns boolean
        language sql stable parallel safe as $$
            select exists (
                select from employments e
                where e.tenant_id = of_tenant and e.user_id = person
                  and e.joined_on <= today and (e.left_on is null or e.left_on >= today))
        $$;

        -- Whether one of these ids is a person whose last employment is over; whoever never had one has not left.
        create function has_left(of_tenant uuid, ids uuid[], today date) returns boolean
        language sql stable parallel safe as $$
            select exists (
                select from employments e where e.tenant_id = of_tenant and e.user_id = any(ids)
                group by e.user_id having max(coalesce(e.left_on, 'infinity')) < today)
        $$;

        -- Oneself, and while one is employed everybody under one at any depth, also through managers who have left.
        create function team_of(of_tenant uuid, manager uuid, today date) returns setof uuid
        language sql stable as $$
            select manager
            union
            select u from people_under(of_tenant, manager) u where is_employed(of_tenant, manager, today)
        $$;

        -- Whom a person's requests go to: the nearest manager who is employed today, going up past those who have
        -- left; where there is none, everybody of HR, and where there is no HR, the admins. A circle ends by itself.
        create function approvers_of(of_tenant uuid, person uuid, today date) returns setof uuid
        language sql stable as $$
            with recursive up(user_id, path) as (
                select e.manager_id, array[person, e.manager_id]
                from employments e where e.tenant_id = of_tenant and e.user_id = person and e.manager_id is not null
                union all
                select e.manager_id, up.path || e.manager_id
                from up join employments e on e.tenant_id = of_tenant and e.user_id = up.user_id
                where e.manager_id is not null and e.manager_id <> all(up.path)
                  and not is_employed(of_tenant, up.user_id, today)
            ), nearest as (
                select user_id from up
                where user_id <> person and is_employed(of_tenant, user_id, today)
                order by cardinality(path) limit 1
            ), office as (
                select m.user_id, m.role from members m
                where m.tenant_id = of_tenant and m.role in ('hr', 'tenant_admin') and m.status = 'active'
                  and m.user_id is not null and m.user_id <> person
                  and not has_left(of_tenant, array[m.user_id], today)
            )
            select user_id from nearest
            union
            select user_id from office o
            where not exists (select from nearest)
              and (o.role = 'hr' or not exists (select from office h where h.role = 'hr'))
        $$;
    """)
