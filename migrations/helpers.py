"""What migrations are written with: plain SQL, and one maker of the one row-level policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import op

# Computed once per query thanks to the inner select; an empty or missing setting is no tenant, so nothing is seen.
CURRENT_TENANT = "(select nullif(current_setting('app.tenant_id', true), '')::uuid)"


def run(statements: str) -> None:
    """Run SQL statements as they are written."""
    # straight to the driver: a % is a % here, and no parameters travel
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(statements)


def protect(table: str, *, grants: str = "select, insert, update, delete", key: str = "tenant_id") -> None:
    """Force the canonical row-level policy on a table of tenants' rows and let the application use it."""
    run(f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy tenant_isolation on {table}
            using ({key} = {CURRENT_TENANT}) with check ({key} = {CURRENT_TENANT});
        grant {grants} on {table} to wagebook_app;
    """)


def open_to(role: str, table: str, *, grants: str) -> None:
    """Let one of the narrow cross-tenant roles see a table's rows, no further than its grants say."""
    run(f"""
        create policy {role}_sees_all on {table} to {role} using (true) with check (true);
        grant {grants} on {table} to {role};
    """)


@contextmanager
def as_owner_of_rows(*tables: str) -> Iterator[None]:
    """Let a migration see and backfill the rows of all tenants: forced row-level security binds the owner too."""
    for table in tables:
        run(f"alter table {table} no force row level security")
    yield
    for table in tables:
        run(f"alter table {table} force row level security")


def declare_personal_data(tables: list[tuple[str, str, str, str]], columns: list[tuple[str, str, str, str]]) -> None:
    """Add lines to the declaration of what an erasure does; their meaning stands in 2026_11_21_0965_personal_data.

    `tables` are (table, whose rows, treatment, why), `columns` are (table, names, treatment, what they become).
    """
    rows = [(table, "*", treatment, whose, "", why) for table, whose, treatment, why in tables]
    rows += [
        (table, name, treatment, "", becomes, "")
        for table, names, treatment, becomes in columns
        for name in names.split()
    ]
    values = ", ".join(
        "(" + ", ".join("'" + word.replace("'", "''") + "'" for word in row) + f", {number})"
        for number, row in enumerate(rows, start=1)
    )
    run(f"""
        insert into personal_data (table_name, column_name, treatment, whose, becomes, why, step)
        select a, b, c, d, e, f, n + (select coalesce(max(step), 0) from personal_data)
        from (values {values}) v(a, b, c, d, e, f, n)""")
