-- Deletes the register rows of employees who are not, or no longer, employed in the period.
delete from pay_registers r
where r.tenant_id = :tenant_id and r.month = :month and r.user_id {employees}
    and not exists (
        select from employments e
        where e.tenant_id = :tenant_id and e.user_id = r.user_id and e.joined_on <= :end_on
          and (e.left_on is null or e.left_on >= :start_on))
