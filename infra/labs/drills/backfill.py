"""Backfill of a column between two migrations: in batches, tenant by tenant."""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

import psycopg
from psycopg import sql

ROWS = 1000


def backfill(migrator_url: str, tenants: Iterable[UUID], *, table: str, change: str, where: str) -> tuple[int, int]:
    """Change the rows that meet a condition, which the change must make false; return the rows and transactions.

    A transaction has at most a thousand rows of one tenant, so that row locks are short, and a pause as long follows.
    Interrupted, it goes on where it ended. The owner is subject to row-level security too: without a tenant it would
    change no row, without an error. The migrator cannot read the list of tenants; the caller does.
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
