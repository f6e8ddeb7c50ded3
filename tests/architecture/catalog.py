"""What the catalog says about tenants' isolation: each function lists what is wrong, and nothing if all is well."""

from typing import Any

import psycopg

TENANT = "( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid AS \"nullif\")"

# Every table of tenants' rows, with the column that says whose a row is.
TENANT_TABLES = """
    select c.oid, c.relname::text as name, a.attname::text as key
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
        and a.attname = case c.relname when 'tenants' then 'id' else 'tenant_id' end
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"""


def tenant_tables(session: psycopg.Connection) -> dict[str, str]:
    """Return every table of tenants' rows, with its key column."""
    return dict(session.execute(f"select name, key from ({TENANT_TABLES}) t order by name").fetchall())


def other_relations(session: psycopg.Connection) -> set[str]:
    """Return everything that has rows and is not a tenant table: other tables, views, foreign tables."""
    return {
        name
        for (name,) in session.execute(f"""
        select relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
          and oid not in (select oid from ({TENANT_TABLES}) t)""")
    }


def not_forced(session: psycopg.Connection) -> list[str]:
    """Return tenant tables whose row-level security is not enabled and forced."""
    return [
        name
        for (name,) in session.execute(f"""
        select t.name from ({TENANT_TABLES}) t join pg_class c using (oid)
        where not (c.relrowsecurity and c.relforcerowsecurity)""")
    ]


def without_canonical_policy(session: psycopg.Connection) -> list[str]:
    """Return tenant tables that lack the one policy for everybody, or have it in other words."""
    policies = {
        (table, qual, check)
        for table, qual, check in session.execute("""
            select tablename, qual, with_check from pg_policies
            where policyname = 'tenant_isolation' and roles = '{public}' and cmd = 'ALL' and permissive = 'PERMISSIVE'
        """)
    }
    return [
        table
        for table, key in tenant_tables(session).items()
        if (table, f"({key} = {TENANT})", f"({key} = {TENANT})") not in policies
    ]


def other_policies(session: psycopg.Connection) -> set[tuple[str, str]]:
    """Return every further policy: its table and the one role it is for."""
    rows = session.execute("select tablename, roles from pg_policies where policyname <> 'tenant_isolation'")
    return {(table, ",".join(roles)) for table, roles in rows}


def keys_across_tenants(session: psycopg.Connection) -> list[str]:
    """Return primary keys, unique constraints and foreign keys that the tenant does not lead."""
    rows = session.execute(f"""
        with t as ({TENANT_TABLES})
        select format('%s.%s', mine.name, k.conname)
        from pg_constraint k
        join t mine on mine.oid = k.conrelid
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        left join t referenced on referenced.oid = k.confrelid
        left join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[1]
        where (k.contype in ('p', 'u', 'x') and a.attname <> mine.key)
           or (k.contype = 'f' and referenced.oid is not null and (a.attname, b.attname) <> (mine.key, referenced.key))
        order by 1""")
    return [name for (name,) in rows]


def indexes_across_tenants(session: psycopg.Connection) -> list[str]:
    """Return indexes of tenant tables that the tenant does not lead."""
    rows = session.execute(f"""
        select i.indexrelid::regclass::text
        from pg_index i join ({TENANT_TABLES}) t on t.oid = i.indrelid
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where a.attname is distinct from t.key order by 1""")
    return [name for (name,) in rows]


def security_definers(session: psycopg.Connection) -> list[tuple[str, Any]]:
    """Return the functions that run as their owner, with their settings."""
    return session.execute("""
        select proname::text, proconfig from pg_proc
        where prosecdef and pronamespace = 'public'::regnamespace order by 1""").fetchall()


def table_grants(session: psycopg.Connection, role: str) -> dict[str, str]:
    """Return what a role may do with whole tables, as letters: Select, Insert, Update, Delete, Truncate, ..."""
    rows = session.execute(
        """select c.relname::text, string_agg(lower(g.privilege_type), ' ' order by g.privilege_type)
           from pg_class c, aclexplode(c.relacl) g
           where c.relnamespace = 'public'::regnamespace and g.grantee = %s::regrole group by 1""",
        [role],
    )
    return dict(rows.fetchall())


def column_grants(session: psycopg.Connection, role: str) -> dict[tuple[str, str], set[str]]:
    """Return what a role may do with single columns: by table and privilege."""
    rows = session.execute(
        """select c.relname::text, lower(g.privilege_type), array_agg(a.attname::text)
           from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) g
           where c.relnamespace = 'public'::regnamespace and g.grantee = %s::regrole group by 1, 2""",
        [role],
    )
    return {(table, privilege): set(columns) for table, privilege, columns in rows}
