-- Deletes the balances of employees who are not, or no longer, employed in the period.
delete from balances b
where b.tenant_id = :tenant_id and b.month = :month and b.user_id {employees}
    and not exists (
        select from employments e
        where e.tenant_id = :tenant_id and e.user_id = b.user_id and e.joined_on <= :end_on
          and (e.left_on is null or e.left_on >= :start_on))
