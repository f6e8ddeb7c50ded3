-- The database's roles. Run once by an account that may create roles; running it again changes nothing.
--
--   wagebook_owner      owns every table, cannot log in
--   wagebook_migrator   logs in to migrate, and becomes the owner for it
--   wagebook_app        logs in for the product: a plain role, owns nothing, bypasses nothing
--   wagebook_platform   what a platform admin may touch: tenants, and nothing of theirs
--   wagebook_directory  which tenants a signed-in person belongs to, and nothing else
--   wagebook_sweeper    which tenants are due, and messages that were not sent yet
--
-- The application steps into the last three for one transaction (SET LOCAL ROLE) and inherits none of them.
do $$
declare name text;
begin
  foreach name in array array['wagebook_owner', 'wagebook_platform', 'wagebook_directory', 'wagebook_sweeper'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin noinherit', name);
    end if;
  end loop;
  foreach name in array array['wagebook_migrator', 'wagebook_app'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I login noinherit', name);
    end if;
  end loop;
end $$;

-- Whoever makes the database must be able to become its owner: a superuser is; Aurora's administrator is none.
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant wagebook_owner to %I with inherit false, set true', current_user);
  end if;
end $$;

grant wagebook_owner to wagebook_migrator with inherit false, set true;
grant wagebook_platform, wagebook_directory, wagebook_sweeper to wagebook_app with inherit false, set true;
