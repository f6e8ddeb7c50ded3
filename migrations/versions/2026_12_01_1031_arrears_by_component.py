"""Arrears are one signed line per component; what single net lines of before have paid is kept by component too."""

from migrations.helpers import as_owner_of_rows, declare_personal_data, run

revision = "2026_12_01_1031"
down_revision = "2026_12_01_1030"


def upgrade() -> None:
    run("""
        alter table payslip_one_offs add column code text, add column parts jsonb;
        comment on column payslip_one_offs.code is
            'of arrears: the component''s code, or earned_salary; null: one net line, as until December 2026';
        comment on column payslip_one_offs.parts is
            'of a net line of arrears: by component code, how much of the line is its; benefits were in none';

        alter table payslip_one_offs
            drop constraint payslip_one_offs_check,
            drop constraint payslip_one_offs_category_check,
            drop constraint payslip_one_offs_amount_check,
            add constraint payslip_one_offs_arrears_check check (
                (kind = 'arrears') = (month is not null) and (code is null or kind = 'arrears')
                and (parts is null or (kind = 'arrears' and code is null))
                and (kind = 'arrears' and code is null)
                    = (gross is not null and deductions is not null and taxes is not null)),
            add constraint payslip_one_offs_category_check check (category in ('earning', 'deduction')
                or (code is not null and category in ('tax', 'benefit'))),
            add constraint payslip_one_offs_amount_check check (amount >= 0 or code is not null),
            add constraint payslip_one_offs_no_empty_line check (code is null or amount <> 0);
        create unique index payslip_one_offs_one_line on payslip_one_offs (tenant_id, run_id, user_id, month, code)
            where code is not null;

        -- where arrears take back more than a period earns or withholds, a sum is below 0
        alter table payslips
            drop constraint payslips_gross_check,
            drop constraint payslips_deductions_check,
            drop constraint payslips_taxes_check,
            drop constraint payslips_benefits_check;
        comment on column payslips.gross is 'sum of the earning lines, arrears among them; so are the other three sums';
    """)
    with as_owner_of_rows("payroll_runs", "payslips", "payslip_one_offs"):
        run("""
            -- A run that is not approved yet is to be calculated again, and then has a line per component.
            update payroll_runs r
            set status = 'draft', calculation = calculation + 1, job_id = null, calculated_at = null, summary = null
            where status in ('draft', 'calculated') and exists (
                select from payslip_one_offs o
                where o.tenant_id = r.tenant_id and o.run_id = r.id and o.kind = 'arrears');
            delete from payslips p using payroll_runs r
            where r.tenant_id = p.tenant_id and r.id = p.run_id and r.status = 'draft' and exists (
                select from payslip_one_offs o
                where o.tenant_id = r.tenant_id and o.run_id = r.id and o.kind = 'arrears');

            -- A net line says by how much each component came to more, or less, than on the payslip of its period. The
            -- line itself paid what of that an earlier line had not.
            with lines as (
                select o.tenant_id, o.run_id, o.user_id, o.number, o.month, o.detail, r.approved_at, of_period.plan
                from payslip_one_offs o
                join payroll_runs r on r.tenant_id = o.tenant_id and r.id = o.run_id and r.approved_at is not null
                join payroll_runs of_period on of_period.tenant_id = o.tenant_id and of_period.month = o.month
                    and of_period.kind = 'regular' and of_period.approved_at is not null
                where o.kind = 'arrears'
            ),
            differences as (
                -- one row per line and component; benefits were in no sum, so they are not paid yet
                select l.*, c.code, coalesce((c.said ->> 'now')::numeric, 0) - coalesce((c.said ->> 'was')::numeric, 0)
                    as difference
                from lines l
                cross join lateral (
                    select 'earned_salary', l.detail -> 'inputs' -> 'earned_salary'
                    union all
                    select one ->> 'code', l.detail -> 'components' -> (one ->> 'code')
                    from jsonb_array_elements(l.plan -> 'components') one
                    where one ->> 'category' <> 'benefit'
                ) c (code, said)
            ),
            parts as (
                select tenant_id, run_id, user_id, number, code, difference - coalesce(lag(difference) over (
                    partition by tenant_id, user_id, month, code order by approved_at, run_id), 0) as amount
                from differences
            )
            update payslip_one_offs o set parts = p.parts
            from (
                select tenant_id, run_id, user_id, number,
                    coalesce(jsonb_object_agg(code, amount::text) filter (where amount <> 0), '{}') as parts
                from parts group by tenant_id, run_id, user_id, number
            ) p
            where (o.tenant_id, o.run_id, o.user_id, o.number) = (p.tenant_id, p.run_id, p.user_id, p.number);
        """)
    declare_personal_data([], [("payslip_one_offs", "code parts", "none", "")])
