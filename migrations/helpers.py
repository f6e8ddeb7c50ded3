"""What migrations are written with: plain SQL, and one maker of the one row-level policy."""

from typing import Any

from alembic import op

# Computed once per query thanks to the inner select; an empty or missing setting is no tenant, so nothing is seen.
CURRENT_TENANT = "(select nullif(current_setting('app.tenant_id', true), '')::uuid)"


def run(statements: str) -> None:
    """This will run SQL statements as they are written."""
    # straight to the driver: a % is a % here, and no parameters travel
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(statements)


def protect(table: str, *, grants: str = "select, insert, update, delete", key: str = "tenant_id") -> None:
    """This will force the canonical row-level policy on a table of tenants' rows and let the application use it."""
    run(f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy tenant_isolation on {table}
            using ({key} = {CURRENT_TENANT}) with check ({key} = {CURRENT_TENANT});
        grant {grants} on {table} to wagebook_app;
    """)


def open_to(role: str, table: str, *, grants: str) -> None:
    """This will let one of the narrow cross-tenant roles see a table's rows, no further than its grants say."""
    run(f"""
        create policy {role}_sees_all on {table} to {role} using (true) with check (true);
        grant {grants} on {table} to {role};
    """)
