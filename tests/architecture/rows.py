"""One row of every tenant table, for any tenant, with its required columns only."""

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tests.architecture.catalog import tenant_tables

# The value of a required column, by its type ...
BY_TYPE = {
    "uuid": "00000000-0000-7000-8000-000000000001",
    "text": "x",
    "date": "2026-01-01",
    "time without time zone": "09:00",
    "timestamp with time zone": "2026-01-01T00:00:00Z",
    "bytea": "\\x00",
    "json": "{}",
    "jsonb": "{}",
    "smallint": "1",
    "integer": "1",
    "bigint": "1",
    "numeric": "1",
    "boolean": "false",
    "ARRAY": "{5,6}",
}
# ... and by its name, where a constraint needs another.
BY_COLUMN = {
    "currency": "BDT", "timezone": "Asia/Dhaka", "month": "2026-01", "end_on": "2026-01-31", "half": "first",
    "role": "hr", "ends_at": "18:00", "nature": "paid", "halves": "P" * 62, "source": "import",
    "superseded_at": "2026-01-02T00:00:00Z", "payout_destinations.kind": "iban",
    "ledger_accounts.kind": "cash", "ledger_entries.debit": "payable", "ledger_entries.credit": "cash",
    "sale_decisions.status": "approved", "form_type": "custom",
    "bank_file_settings.format": "delimited", "payout_batches.format": "pain.001",
    "notification_logs.kind": "custom", "notification_logs.channel": "in_app", "notification_logs.status": "sent",
    "notification_suppressions.reason": "bounce",
    "payouts.kind": "final", "payouts.status": "held", "payouts.through_number": "2",
    "simulated_movements.status": "accepted", "payroll_adjustments.kind": "bonus",
    "leave_entries.bucket": "used",
    "payroll_runs.kind": "regular", "payslips.net": "-1", "payslip_one_offs.kind": "carried_over",
    "payslip_one_offs.category": "deduction",
    "kpi_definitions.metric_type": "numeric", "kpi_definitions.source": "manual_entry",
    "payment_types.category": "earning", "payment_types.calculation": "dynamic",
}  # fmt: skip

# Nullable columns of which a constraint requires one.
MORE = {"bank_file_settings": {"template": "{}"}, "payslip_one_offs": {"payslip_id": BY_TYPE["uuid"]}}


def columns(session: psycopg.Connection, table: str, tenant_id: UUID) -> dict[str, Any]:
    """Return the values of a row's required columns."""
    needed = session.execute(
        "select column_name, data_type from information_schema.columns where table_schema = 'public'"
        " and table_name = %s and is_nullable = 'NO' and column_default is null and is_generated = 'NEVER'"
        " and is_identity = 'NO'",
        [table],
    ).fetchall()
    values: dict[str, Any] = {
        name: BY_COLUMN.get(f"{table}.{name}", BY_COLUMN.get(name, BY_TYPE[kind])) for name, kind in needed
    }
    values |= {name: value for name, value in MORE.get(table, {}).items() if name not in values}
    if table == "tenants":
        return {**values, "id": tenant_id, "slug": str(tenant_id)}
    return {**values, "tenant_id": tenant_id}


def insert(session: psycopg.Connection, table: str, tenant_id: UUID) -> None:
    """Insert one row into a table."""
    values = columns(session, table, tenant_id)
    session.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        ),
        list(values.values()),
    )


def fill(session: psycopg.Connection, tenant_id: UUID) -> None:
    """Insert one row into every tenant table, without checking foreign keys."""
    session.execute("set local session_replication_role = replica")
    for table in tenant_tables(session):
        insert(session, table, tenant_id)
