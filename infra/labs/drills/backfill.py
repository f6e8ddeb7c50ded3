"""The rows that were there before a column was: some at a time, tenant by tenant, between two migrations."""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

import psycopg
from psycopg import sql

ROWS = 1000


def backfill(migrator_url: str, tenants: Iterable[UUID], *, table: str, change: str, where: str) -> tuple[int, int]:
    """Change the rows where a condition holds, which the change has to end; it counts rows and transactions.

    A thousand rows of one tenant are a transaction, so that nobody waits long for a row, and a rest as long follows.
    Cut off, it goes on where it ended. The owner is under the row-level policy, too: without a tenant it sees no row,
    and would change none without saying so. Which tenants there are, the migrator may not ask; its caller does.
    """
    some = sql.SQL(
        f"update {table} set {change} where tenant_id = {{tenant}} and ctid = any(array("
        f"select ctid from {table} where tenant_id = {{tenant}} and {where} limit {ROWS}))"
    )
    rows = transactions = 0
    with psycopg.connect(migrator_url, autocommit=True) as connection:
        connection.execute("set role wagebook_owner")
        connection.execute("set lock_timeout = '5s'")
        for tenant_id in tenants:
            changed = ROWS
            while changed:
                began = time.monotonic()
                with connection.transaction():
                    connection.execute("select set_config('app.tenant_id', %s, true)", [str(tenant_id)])
                    changed = connection.execute(some.format(tenant=sql.Literal(tenant_id))).rowcount
                rows, transactions = rows + changed, transactions + bool(changed)
                time.sleep(time.monotonic() - began)
    return rows, transactions
