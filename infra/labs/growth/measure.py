"""What rows weigh and what work writes: measured on an embedded server filled by the bench's generators.

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
    found: dict[str, float] = {}
    with data.loaded(people, tenants=1) as made, psycopg.connect(made.admin_url, autocommit=True) as admin:
        admin.execute("alter system set full_page_writes = off")
        admin.execute("select pg_reload_conf()")
        admin.execute(COMPONENTS.read_bytes())
        product.use(made.urls.application)
        _night(made.admin_url, date(2026, 1, 29))  # the first night writes the rows, every later one changes them
        found["wal_night"] = _written(admin, lambda: _night(made.admin_url, date(2026, 1, 30))) / people
        tenant_id = runs.prepare(made.urls.application, made.admin_url)
        found["wal_payslip"] = _written(admin, lambda: runs.calculate(made.urls.application, tenant_id)) / people
        product.leave()
        for table in TABLES:
            [(size, rows)] = admin.execute(
                f"select pg_total_relation_size('{table}'), (select count(*) from {table})".encode()
            ).fetchall()
            found[table] = size / rows if rows else 0.0
            found[f"{table}_each"] = rows / people
    return found


def _night(admin_url: str, as_of: date) -> None:
    for chunk in product.chunks(admin_url):
        with job_scope(chunk.tenant_id, name="bench", now=product.NOW, origin=product.ORIGIN) as scope:
            employee_filter = EmployeeFilter.range(chunk.first, chunk.last)
            project(scope, window=window_of(scope, product.MONTH), employee_filter=employee_filter, as_of=as_of)


def _written(admin: psycopg.Connection, work: Callable[[], object]) -> int:
    admin.execute("checkpoint")
    [(before,)] = admin.execute("select pg_current_wal_lsn()").fetchall()
    work()
    [(written,)] = admin.execute("select pg_current_wal_lsn() - %s::pg_lsn", [before]).fetchall()
    return int(written)
