-- Adds users with their employments and first salaries. Returns the new ids and first days.
with
-- one row per new employee, with the id they get
new_employee as materialized (
    select uuidv7() as id, rows.*
    from jsonb_to_recordset(cast(:employees as jsonb)) rows(
        name text, email text, language text, employee_no text, joined_on date, left_on date,
        branch_id uuid, department_id uuid, division_id uuid, shift_id uuid, manager_id uuid, manager_no text,
        amount numeric, currency text, frequency text, effective_from date)
),
added as (
    insert into users (tenant_id, id, name, email, language)
    select :tenant_id, id, name, email, language from new_employee
),
-- one row per employment; the manager exists already, or comes with the same file
employed as (
    insert into employments (tenant_id, user_id, employee_no, joined_on, left_on,
                             branch_id, department_id, division_id, shift_id, manager_id)
    select :tenant_id, new_employee.id, new_employee.employee_no, new_employee.joined_on, new_employee.left_on, new_employee.branch_id,
           new_employee.department_id, new_employee.division_id, new_employee.shift_id, coalesce(new_employee.manager_id, manager.id)
    from new_employee left join new_employee manager on manager.employee_no = new_employee.manager_no
),
paid as (
    insert into salaries (tenant_id, user_id, effective_from, amount, currency, frequency)
    select :tenant_id, id, effective_from, amount, currency, frequency from new_employee where amount is not null
)
select id, joined_on from new_employee
