"""Checks of tenant isolation in PostgreSQL's catalog: each function returns the violations it finds."""

from typing import Any

import psycopg

TENANT = "( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid AS \"nullif\")"

# Every table with tenants' rows, and its column of the tenant.
TENANT_TABLES = """
    select c.oid, c.relname::text as name, a.attname::text as key
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
        and a.attname = case c.relname when 'tenants' then 'id' else 'tenant_id' end
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"""


def tenant_tables(session: psycopg.Connection) -> dict[str, str]:
    """Return every tenant table and its column of the tenant."""
    return dict(session.execute(f"select name, key from ({TENANT_TABLES}) t order by name").fetchall())


def other_relations(session: psycopg.Connection) -> set[str]:
    """Return every other relation with rows: other tables, views, foreign tables."""
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
    """Return tenant tables without the one policy for all roles, or with another condition."""
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
    """Return every other policy: its table and its role."""
    rows = session.execute("select tablename, roles from pg_policies where policyname <> 'tenant_isolation'")
    return {(table, ",".join(roles)) for table, roles in rows}


def keys_across_tenants(session: psycopg.Connection) -> list[str]:
    """Return primary keys, unique constraints and foreign keys that do not begin with the tenant."""
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
    """Return indexes of tenant tables that do not begin with the tenant."""
    rows = session.execute(f"""
        select i.indexrelid::regclass::text
        from pg_index i join ({TENANT_TABLES}) t on t.oid = i.indrelid
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where a.attname is distinct from t.key order by 1""")
    return [name for (name,) in rows]


def security_definers(session: psycopg.Connection) -> list[tuple[str, Any]]:
    """Return the functions that run as their owner (security definer), with their settings."""
    return session.execute("""
        select proname::text, proconfig from pg_proc
        where prosecdef and pronamespace = 'public'::regnamespace order by 1""").fetchall()


def table_grants(session: psycopg.Connection, role: str) -> dict[str, str]:
    """Return a role's privileges by table, in words: select, insert, update, delete, truncate, ..."""
    rows = session.execute(
        """select c.relname::text, string_agg(lower(g.privilege_type), ' ' order by g.privilege_type)
           from pg_class c, aclexplode(c.relacl) g
           where c.relnamespace = 'public'::regnamespace and g.grantee = %s::regrole group by 1""",
        [role],
    )
    return dict(rows.fetchall())


def column_grants(session: psycopg.Connection, role: str) -> dict[tuple[str, str], set[str]]:
    """Return a role's column privileges, by table and privilege."""
    rows = session.execute(
        """select c.relname::text, lower(g.privilege_type), array_agg(a.attname::text)
           from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) g
           where c.relnamespace = 'public'::regnamespace and g.grantee = %s::regrole group by 1, 2""",
        [role],
    )
    return {(table, privilege): set(columns) for table, privilege, columns in rows}
