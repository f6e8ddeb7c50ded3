with
-- one row: a person to be, with the id they will have
person as materialized (
    select uuidv7() as id, said.*
    from jsonb_to_recordset(cast(:people as jsonb)) said(
        name text, email text, language text, employee_no text, joined_on date, left_on date,
        branch_id uuid, department_id uuid, division_id uuid, shift_id uuid, manager_id uuid, manager_no text,
        amount numeric, currency text, frequency text, effective_from date)
),
made as (
    insert into users (tenant_id, id, name, email, language)
    select :tenant_id, id, name, email, language from person
),
-- one row: an employment; its manager is somebody of ours, or comes with the same file
employed as (
    insert into employments (tenant_id, user_id, employee_no, joined_on, left_on,
                             branch_id, department_id, division_id, shift_id, manager_id)
    select :tenant_id, person.id, person.employee_no, person.joined_on, person.left_on, person.branch_id,
           person.department_id, person.division_id, person.shift_id, coalesce(person.manager_id, manager.id)
    from person left join person manager on manager.employee_no = person.manager_no
),
paid as (
    insert into salaries (tenant_id, user_id, effective_from, amount, currency, frequency)
    select :tenant_id, id, effective_from, amount, currency, frequency from person where amount is not null
)
select id, joined_on from person
