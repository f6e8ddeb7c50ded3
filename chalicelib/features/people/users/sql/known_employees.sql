-- One row per employee whose number a file names, with names in place of ids, as a row of an import has them.
select users.id as user_id, users.name, users.email, users.language,
       job.employee_no, job.joined_on, job.left_on,
       branch.name as branch, department.name as department, division.name as division, shift.name as shift,
       manager.employee_no as manager_employee_no
from employments job
    join users on users.tenant_id = job.tenant_id and users.id = job.user_id
    left join branches branch on branch.tenant_id = job.tenant_id and branch.id = job.branch_id
    left join departments department on department.tenant_id = job.tenant_id and department.id = job.department_id
    left join divisions division on division.tenant_id = job.tenant_id and division.id = job.division_id
    left join shifts shift on shift.tenant_id = job.tenant_id and shift.id = job.shift_id
    left join employments manager on manager.tenant_id = job.tenant_id and manager.user_id = job.manager_id
where job.tenant_id = :tenant_id and job.employee_no = any(cast(:numbers as text[]))
