-- The simulated clock: a function that the application's role finds before PostgreSQL's own (search_path). A sequence
-- holds the time, since it is set without a transaction and read without a snapshot. Defaults of columns use it too.
create schema lab;
grant usage on schema lab to public;
create sequence lab.microseconds minvalue 0;
grant select on sequence lab.microseconds to public;
create function lab.clock_timestamp() returns timestamptz language sql volatile
    return to_timestamp(pg_sequence_last_value('lab.microseconds') / 1000000.0);
create function lab.now() returns timestamptz language sql volatile
    return to_timestamp(pg_sequence_last_value('lab.microseconds') / 1000000.0);
do $$ declare clock_default record; begin
    for clock_default in
        select d.adrelid::regclass as place, a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression
        from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        join pg_class c on c.oid = d.adrelid
        where c.relnamespace = 'public'::regnamespace
          and pg_get_expr(d.adbin, d.adrelid) in ('now()', 'clock_timestamp()')
    loop
        execute format('alter table %s alter %I set default lab.%s', clock_default.place,
            clock_default.name, clock_default.expression);
    end loop;
end $$;
