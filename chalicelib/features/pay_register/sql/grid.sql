-- One page of the register as JSON, with the number of employees that match. Employees in the period who have no row
-- yet read as stubs: empty halves and zero totals. Nothing is written.
with matching as (
    -- one row per employee of the period whom the caller may see and the filters let through
    select e.user_id, e.employee_no, e.department_id, e.division_id, u.name
    from employments e
    join users u on u.tenant_id = :tenant_id and u.id = e.user_id
    where e.tenant_id = :tenant_id and e.joined_on <= :end_on and (e.left_on is null or e.left_on >= :start_on)
        {filters}
),
page as (
    select * from matching order by employee_no, user_id limit :limit offset :offset
)
select
    (select count(*) from matching) as total,
    coalesce((
        select json_agg(json_build_object(
            'user', json_build_object('id', p.user_id, 'name', p.name, 'employee_no', p.employee_no,
                'department_id', p.department_id, 'division_id', p.division_id),
            'version', coalesce(edited.version, 0),
            'totals', case when stored.r is null then cast(:no_totals as json) else register_totals(stored.r) end,
            'halves', coalesce((r).halves, ''),
            'details', {details}
                -- the versions of edited days, which the register row does not have: edits of a locked period raise
                -- them, too
                || case when edited.versions is null then '{}' else jsonb_build_object('version', edited.versions) end
            {masks}) order by p.employee_no, p.user_id)
        from page p
        -- by key, one employee at a time: at the start of a month the planner has no statistics of it
        left join lateral (
            select r from pay_registers r
            where r.tenant_id = :tenant_id and r.month = :month and r.user_id = p.user_id
            limit 1
        ) stored(r) on true
        -- the edits in force, by key as well; most employees have none
        cross join lateral (
            select sum(d.version)::integer as version, jsonb_object_agg(d.day, d.version) as versions
            from day_edits d
            where d.tenant_id = :tenant_id and d.user_id = p.user_id and d.day between :start_on and :end_on
              and d.superseded_at is null
        ) edited
    ), '[]')::text as items
