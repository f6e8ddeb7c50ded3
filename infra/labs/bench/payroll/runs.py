"""A tenant's payroll run, calculated as the queue's consumer does it: a message per chunk of employees."""

import time
from dataclasses import dataclass
from uuid import UUID

import psycopg

from chalicelib.backing.outbox import Message
from chalicelib.entry.messages import process_message
from chalicelib.entry.registry import CONSUMERS
from chalicelib.features.payroll.runs import actions as run_actions
from chalicelib.features.payroll.runs import calculation as run_calculation
from chalicelib.features.payroll.runs import consumers as payroll_consumers
from chalicelib.features.payroll.runs.schemas import NewPayrollRun
from chalicelib.identity.callers import job_scope
from infra.labs.bench import product
from infra.labs.bench.product import MONTH, NOW, ORIGIN

CONSUMER = payroll_consumers.calculate_chunk  # referred to, so that the import, which registers it, stays


@dataclass(frozen=True, slots=True)
class Calculated:
    """A calculation: its seconds, its payslips, and the process's peak memory."""

    seconds: float
    payslips: int
    peak_mb: float


def prepare(url: str, admin_url: str) -> UUID:
    """Compute register and balances as the nightly job does, create the run, and return the tenant's id."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        tenant_id: UUID
        [(tenant_id,)] = admin.execute("select id from tenants").fetchall()
        product.use(url)
        product.compute(product.chunks(admin_url))
        admin.execute(
            "update pay_periods set computed_at = clock_timestamp(), computed_as_of = end_on,"
            " decided_under = '540:None'"
        )
        admin.execute("vacuum (analyze)")
    with job_scope(tenant_id, name="bench", now=NOW, origin=ORIGIN) as scope:
        run_actions.create(scope, new=NewPayrollRun(month=MONTH))
    return tenant_id


def calculate(url: str, tenant_id: UUID) -> Calculated:
    """Calculate the tenant's run in one worker; each call does so again."""
    product.use(url)
    began = time.perf_counter()
    with job_scope(tenant_id, name="bench", now=NOW, origin=ORIGIN) as scope:
        run_id = scope.session.exec_driver_sql("select id from payroll_runs").scalar_one()
        run_actions.request_calculation(scope, run_id=run_id)
    waiting: list[Message] = list(scope.outgoing)
    for one in waiting:
        message = {**one.body, "tenant_id": str(one.tenant_id)}
        process_message(
            CONSUMERS[run_calculation.QUEUE].function, message, name="queue", origin=ORIGIN, send=lambda left: None
        )
    seconds = time.perf_counter() - began
    with job_scope(tenant_id, name="bench", now=NOW, origin=ORIGIN) as scope:
        status, payslips = scope.session.exec_driver_sql(
            "select (select status from payroll_runs), (select count(*) from payslips)"
        ).one()
    assert status == "calculated"
    return Calculated(seconds, payslips, product.peak_mb())
