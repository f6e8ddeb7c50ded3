"""The organisation, who works in it since when and for how much, and the days on which there is work."""

from migrations.helpers import protect, run

revision = "2026_11_21_0710"
down_revision = "2026_11_21_0700"


def upgrade() -> None:
    run("""
        create table branches (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            timezone text,
            weekend smallint[],
            own_holidays boolean not null default false,
            version integer not null default 1,
            primary key (tenant_id, id),
            unique (tenant_id, name)
        );

        create table departments (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            version integer not null default 1,
            primary key (tenant_id, id),
            unique (tenant_id, name)
        );

        create table divisions (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            version integer not null default 1,
            primary key (tenant_id, id),
            unique (tenant_id, name)
        );

        create table shifts (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            starts_at time not null,
            ends_at time not null check (ends_at <> starts_at),
            payable_units numeric(4, 2) not null default 1 check (payable_units between 0 and 10),
            late_grace_minutes smallint not null default 0 check (late_grace_minutes between 0 and 600),
            early_grace_minutes smallint not null default 0 check (early_grace_minutes between 0 and 600),
            version integer not null default 1,
            primary key (tenant_id, id),
            unique (tenant_id, name)
        );

        create table holidays (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            day date not null,
            name text not null,
            half text check (half in ('first', 'second')),
            branch_id uuid,
            version integer not null default 1,
            primary key (tenant_id, id),
            unique nulls not distinct (tenant_id, day, branch_id),
            foreign key (tenant_id, branch_id) references branches
        );

        create table employments (
            tenant_id uuid not null,
            user_id uuid not null,
            employee_no text not null,
            joined_on date not null,
            left_on date check (left_on >= joined_on),
            branch_id uuid,
            department_id uuid,
            division_id uuid,
            manager_id uuid check (manager_id <> user_id),
            shift_id uuid,
            version integer not null default 1,
            primary key (tenant_id, user_id),
            unique (tenant_id, employee_no),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, branch_id) references branches,
            foreign key (tenant_id, department_id) references departments,
            foreign key (tenant_id, division_id) references divisions,
            foreign key (tenant_id, manager_id) references users,
            foreign key (tenant_id, shift_id) references shifts
        );
        create index employments_by_manager on employments (tenant_id, manager_id) where manager_id is not null;

        create table salaries (
            tenant_id uuid not null,
            user_id uuid not null,
            effective_from date not null,
            amount numeric not null check (amount >= 0),
            currency text not null references currencies,
            frequency text not null default 'monthly' check (frequency in ('monthly', 'weekly', 'daily')),
            created_at timestamptz not null default now(),
            primary key (tenant_id, user_id, effective_from),
            foreign key (tenant_id, user_id) references users
        );

        create table roster_days (
            tenant_id uuid not null,
            user_id uuid not null,
            day date not null,
            shift_id uuid,
            off smallint not null default 0 check (off between 0 and 3),
            works_holidays boolean not null default false,
            primary key (tenant_id, user_id, day),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, shift_id) references shifts
        );
        comment on column roster_days.off is 'halves off: 0 none, 2 the first, 1 the second, 3 both';
    """)
    for table in (
        "branches",
        "departments",
        "divisions",
        "shifts",
        "holidays",
        "employments",
        "salaries",
        "roster_days",
    ):
        protect(table)
    run("""
        -- A manager, the people under them, the people under those, and so on; a circle ends by itself.
        create function people_under(of_tenant uuid, manager uuid) returns setof uuid language sql stable as $$
            with recursive under(user_id) as (
                select manager
                union
                select e.user_id from employments e join under on e.manager_id = under.user_id
                where e.tenant_id = of_tenant
            )
            select user_id from under
        $$;
    """)
