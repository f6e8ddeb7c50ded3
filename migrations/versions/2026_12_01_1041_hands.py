"""Runs, payouts, sales and amounts store the ids of everybody who had a part in them, beside the names shown."""

from migrations.helpers import as_owner_of_rows, run

revision = "2026_12_01_1041"
down_revision = "2026_12_01_1040"

# table, column with the name, column with the ids
_HANDS = [
    ("payroll_runs", "created_by", "created_by_ids"),
    ("payroll_runs", "calculated_by", "calculated_by_ids"),
    ("payroll_runs", "approved_by", "approved_by_ids"),
    ("payroll_runs", "paid_by", "paid_by_ids"),
    ("payroll_amounts", "given_by", "given_by_ids"),
    ("payroll_adjustments", "created_by", "created_by_ids"),
    ("payouts", "prepared_by", "prepared_by_ids"),
    ("payouts", "approved_by", "approved_by_ids"),
    ("sales", "created_by", "created_by_ids"),
    ("sale_decisions", "decided_by", "decided_by_ids"),
]


def upgrade() -> None:
    # a constant default writes no row: large tables take it at once
    for table, _, ids in _HANDS:
        run(f"alter table {table} add column {ids} uuid[] not null default '{{}}'")
    run("alter table payroll_runs add column four_eyes boolean")
    run("grant update (approved_by_ids) on payouts to wagebook_app")
    # Only what still waits is compared with anybody: runs that are not approved, and payouts that are held with the
    # sales behind them. A name may have been several people's; all of them had a part as far as anybody knows.
    with as_owner_of_rows(
        "api_keys",
        "members",
        "payroll_runs",
        "payouts",
        "sales",
        "sale_decisions",
        "payroll_amounts",
        "payroll_adjustments",
    ):
        run("""
            create temporary table named on commit drop as
                select tenant_id, name, array_agg(id) as ids from (
                    select tenant_id, name, unnest(array_remove(array[id, user_id], null)) as id from api_keys
                    union
                    select tenant_id, email, unnest(array_remove(array[id, user_id], null)) from members
                ) n group by tenant_id, name;
            update payroll_runs r set created_by_ids = n.ids from named n
                where n.tenant_id = r.tenant_id and n.name = r.created_by and r.status in ('draft', 'calculated');
            update payroll_runs r set calculated_by_ids = n.ids from named n
                where n.tenant_id = r.tenant_id and n.name = r.calculated_by and r.status in ('draft', 'calculated');
            update payroll_runs r set calculated_by_ids = calculated_by_ids || calculated_by_user_id
                where calculated_by_user_id is not null and r.status in ('draft', 'calculated');
            update payroll_amounts a set given_by_ids = n.ids from named n, payroll_runs r
                where n.tenant_id = a.tenant_id and n.name = a.given_by
                  and r.tenant_id = a.tenant_id and r.id = a.run_id and r.status in ('draft', 'calculated');
            update payroll_adjustments a set created_by_ids = n.ids from named n
                where n.tenant_id = a.tenant_id and n.name = a.created_by and a.paid_at is null;
            update payouts p set prepared_by_ids = n.ids from named n
                where n.tenant_id = p.tenant_id and n.name = p.prepared_by and p.status = 'held';
            update payouts p set prepared_by_ids = prepared_by_ids || prepared_by_user_id
                where prepared_by_user_id is not null and p.status = 'held';
            update sales s set created_by_ids = n.ids from named n
                where n.tenant_id = s.tenant_id and n.name = s.created_by and s.user_id in (
                    select p.user_id from payouts p where p.tenant_id = s.tenant_id and p.status = 'held');
            update sale_decisions d set decided_by_ids = n.ids from named n, sales s
                where n.tenant_id = d.tenant_id and n.name = d.decided_by
                  and s.tenant_id = d.tenant_id and s.id = d.sale_id and s.user_id in (
                    select p.user_id from payouts p where p.tenant_id = s.tenant_id and p.status = 'held');
        """)
    # the code of before writes these until it is gone; the next deployment may drop them
    run("""
        comment on column payroll_runs.calculated_by_user_id is 'in calculated_by_ids since 2026-12';
        comment on column payouts.prepared_by_user_id is 'in prepared_by_ids since 2026-12';
    """)
