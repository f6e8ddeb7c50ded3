"""A day's edits have a version; a period knows of facts that were computed by whoever changed them."""

from migrations.helpers import run

revision = "2026_12_01_1010"
down_revision = "2026_11_21_0980"


def upgrade() -> None:
    run("""
        alter table day_edits add column version integer not null default 1 check (version > 0);
        comment on column day_edits.version is
            'of the day after this edit: the first edit makes it 1, each later one 1 more';

        alter table pay_periods
            add column revised_at timestamptz,
            add column calculated_at timestamptz;
        comment on column pay_periods.revised_at is
            'when facts of it changed and were computed in the same transaction, noted once after calculated_at';
        comment on column pay_periods.calculated_at is 'when the calculation of a payroll run of it last began';

        -- The owner is under the row-level policy too and would see no tenant's rows; so it steps out for the backfill,
        -- in this transaction, in which nobody else reaches these tables.
        alter table day_edits no force row level security;
        alter table pay_periods no force row level security;
        alter table payroll_runs no force row level security;

        update day_edits e set version = n.version
        from (
            select tenant_id, id, row_number() over (partition by tenant_id, user_id, day order by id) as version
            from day_edits
        ) n
        where n.tenant_id = e.tenant_id and n.id = e.id and n.version > 1;

        -- a day that was cleared keeps a row in force that says nothing, as one that is cleared from now on does
        insert into day_edits (tenant_id, user_id, day, version, edited_by, edited_at)
        select distinct on (tenant_id, user_id, day) tenant_id, user_id, day, version + 1, superseded_by, superseded_at
        from day_edits e
        where not exists (
            select from day_edits f
            where f.tenant_id = e.tenant_id and f.user_id = e.user_id and f.day = e.day and f.superseded_at is null)
        order by tenant_id, user_id, day, version desc;

        update pay_periods p set calculated_at = r.since
        from (
            select tenant_id, month, max(calculated_since) as since from payroll_runs
            where calculated_since is not null group by tenant_id, month
        ) r
        where r.tenant_id = p.tenant_id and r.month = p.month;

        alter table day_edits force row level security;
        alter table pay_periods force row level security;
        alter table payroll_runs force row level security;
    """)
