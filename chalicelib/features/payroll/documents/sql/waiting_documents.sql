-- One row per payslip of a range of employees whose file is requested and missing, with the employee's details.
select p.id as payslip_id, p.user_id, u.language, d.name as department
from payslips p
join payslip_documents f on f.tenant_id = :tenant_id and f.payslip_id = p.id and f.sha256 is null
join users u on u.tenant_id = :tenant_id and u.id = p.user_id
left join employments e on e.tenant_id = :tenant_id and e.user_id = p.user_id
left join departments d on d.tenant_id = :tenant_id and d.id = e.department_id
where p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id between :first and :last
order by p.user_id
