"""Measure bytes of rows and of write-ahead log, on an embedded server filled by the bench's generators.

`python -m infra.labs.growth measure` prints `measured.py` anew; the figures hold for any machine, being bytes.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg

from chalicelib.features.pay_register.projection import project
from chalicelib.features.periods.windows import EmployeeFilter, window_of
from chalicelib.identity.callers import job_scope
from infra.labs import bench
from infra.labs.bench import data, product
from infra.labs.bench.payroll import runs

COMPONENTS = Path(bench.__file__).parent / "payroll" / "facts.sql"
# tables of which every employee has rows, with all their indexes
TABLES = ("users", "employments", "salaries", "attendance", "leave_days", "pay_registers", "balances", "payslips")


def measured(people: int) -> dict[str, float]:
    """Return bytes per row of each table, and bytes of log per employee-night and per payslip.

    Full pages are not counted: Aurora's log has none. A server that writes them adds up to as much again.
    """
    figures: dict[str, float] = {}
    with data.loaded(people, tenants=1) as server, psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute("alter system set full_page_writes = off")
        admin.execute("select pg_reload_conf()")
        admin.execute(COMPONENTS.read_bytes())
        product.use(server.urls.application)
        _write_night_log(
            server.admin_url, date(2026, 1, 29)
        )  # the first night writes the rows, every later one changes them
        figures["wal_night"] = (
            _measure_log(admin, lambda: _write_night_log(server.admin_url, date(2026, 1, 30))) / people
        )
        tenant_id = runs.prepare(server.urls.application, server.admin_url)
        figures["wal_payslip"] = (
            _measure_log(admin, lambda: runs.calculate(server.urls.application, tenant_id)) / people
        )
        product.leave()
        for table in TABLES:
            [(size, rows)] = admin.execute(
                f"select pg_total_relation_size('{table}'), (select count(*) from {table})".encode()
            ).fetchall()
            figures[table] = size / rows if rows else 0.0
            figures[f"{table}_each"] = rows / people
    return figures


def _write_night_log(admin_url: str, as_of: date) -> None:
    for chunk in product.chunks(admin_url):
        with job_scope(chunk.tenant_id, name="bench", now=product.NOW, origin=product.ORIGIN) as scope:
            employee_filter = EmployeeFilter.range(chunk.first, chunk.last)
            project(scope, window=window_of(scope, product.MONTH), employee_filter=employee_filter, as_of=as_of)


def _measure_log(admin: psycopg.Connection, work: Callable[[], object]) -> int:
    admin.execute("checkpoint")
    [(before,)] = admin.execute("select pg_current_wal_lsn()").fetchall()
    work()
    [(written,)] = admin.execute("select pg_current_wal_lsn() - %s::pg_lsn", [before]).fetchall()
    return int(written)
