-- The balance as one would write it first: a loop over employees, and in it a loop over their days.
create or replace function bench.earn_by_loop(of_tenant uuid, first_user uuid, last_user uuid) returns integer language plpgsql as $$
declare
    person record;
    fact record;
    paid numeric;
    earned numeric;
    working_days integer;
    done integer := 0;
begin
    for person in
        select e.user_id, s.amount, s.frequency from employments e
        join salaries s on s.tenant_id = of_tenant and s.user_id = e.user_id and s.effective_from = '2024-01-01'
        where e.tenant_id = of_tenant and e.user_id between first_user and last_user
    loop
        paid := 0;
        working_days := 0;
        for fact in
            select a.day, a.present, l.user_id is not null as on_leave
            from attendance a
            left join leave_days l
                on l.tenant_id = of_tenant and l.user_id = a.user_id and l.day = a.day and l.half = 'first'
            where a.tenant_id = of_tenant and a.user_id = person.user_id and a.day between '2026-01-01' and '2026-01-31'
        loop
            if extract(isodow from fact.day) not in (5, 6) then
                working_days := working_days + 1;
                if fact.on_leave or fact.present = 3 then
                    paid := paid + 1;
                elsif fact.present > 0 then
                    paid := paid + 0.5;
                end if;
            end if;
        end loop;
        earned := case person.frequency
            when 'monthly' then round(person.amount * paid / nullif(working_days, 0), 2)
            when 'daily' then round(person.amount * paid, 2)
            else round(person.amount * ceil(paid / 5), 2) end;
        insert into bench.looped (tenant_id, user_id, earned) values (of_tenant, person.user_id, earned)
        on conflict (tenant_id, user_id) do update set earned = excluded.earned;
        done := done + 1;
    end loop;
    return done;
end $$;
