-- Eight components for everybody, of all calculations but the one that needs a file.
with said (code, category, calculation, amount, percent, base, formula) as (values
    ('house_rent', 'earning', 'percentage', null, 50, 'earned_salary', null),
    ('transport', 'earning', 'fixed', 1200.00, null, null, null),
    ('overtime', 'earning', 'formula', null, null, null, 'hourly_rate * ot_hours * 2'),
    ('attendance_bonus', 'earning', 'formula', null, null, null,
        'IF(absent_days = 0 and late_count <= 3, ROUND(base_salary * 5%, 0), 0)'),
    ('provident_fund', 'deduction', 'percentage', null, 10, 'earned_salary', null),
    ('late_fine', 'deduction', 'formula', null, null, null, 'MIN(FLOOR(late_count / 3) * daily_rate, gross * 10%)'),
    ('income_tax', 'tax', 'formula', null, null, null,
        'BRACKET(gross, 0, 0%, 25000, 5%, 33333, 10%, 66667, 15%, 100000, 20%)'),
    ('employer_fund', 'benefit', 'percentage', null, 100, 'provident_fund', null)
), made as (
    insert into payment_types (tenant_id, code, name, category, calculation, applies_to_all)
    select t.id, code, code, category, calculation, true from tenants t cross join said
    returning tenant_id, id, code
)
insert into payment_type_versions (tenant_id, type_id, number, effective_from, amount, currency, percent, base, formula,
    created_by, created_at)
select tenant_id, id, 1, '2020-01-01', amount, case when amount is not null then 'BDT' end, percent, base, formula,
    'bench', now()
from made join said using (code)
